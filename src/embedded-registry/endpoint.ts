import { InvalidReferenceError, parseRepository } from '../oci/reference.ts'
import { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'

/** An endpoint of OCI distribution-spec 1.1, or Docker's catalog, with its path parameters. */
export type Endpoint =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: ContentDigest }
  /**
   * `reference` is a tag or a digest, not yet validated: the response to an invalid one depends on the
   * method.
   */
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: ContentDigest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }

/**
 * Parses the path after `/v2/`, from its end: the name of a repository may contain segments such as `blobs`
 * or `manifests`.
 * @throws DistributionError NAME_INVALID, DIGEST_INVALID, NAME_UNKNOWN (no such endpoint)
 */
export function parseEndpoint(path: string): Endpoint {
  if (path === '') return { kind: 'base' }
  if (path === '_catalog') return { kind: 'catalog' }
  const segments = path.split('/')
  const last = segments.pop() ?? ''
  const collection = segments.pop()
  if (collection === 'uploads' && segments.at(-1) === 'blobs') {
    const repository = parseName(segments.slice(0, -1))
    return last === '' ? { kind: 'uploads', repository } : { kind: 'upload', repository, id: last }
  }
  if (collection === 'blobs' && last === 'uploads')
    return { kind: 'uploads', repository: parseName(segments) }
  if (collection === 'blobs')
    return { kind: 'blob', repository: parseName(segments), digest: parseDigest(last) }
  if (collection === 'manifests')
    return { kind: 'manifest', repository: parseName(segments), reference: last }
  if (collection === 'referrers')
    return { kind: 'referrers', repository: parseName(segments), digest: parseDigest(last) }
  if (collection === 'tags' && last === 'list') return { kind: 'tags', repository: parseName(segments) }
  throw new DistributionError('NAME_UNKNOWN', 404, 'the path is not an endpoint of the distribution API')
}

/** @throws DistributionError DIGEST_INVALID */
export function parseDigest(text: string): ContentDigest {
  const parsed = ContentDigest.safeParse(text)
  if (parsed.success) return parsed.data
  const message = `${JSON.stringify(text.slice(0, 200))}: ${parsed.error.issues[0]?.message}`
  throw new DistributionError('DIGEST_INVALID', 400, message)
}

/** Whether the text is a valid repository name. */
export function isRepositoryName(text: string): boolean {
  try {
    parseRepository(text)
    return true
  } catch {
    return false
  }
}

function parseName(segments: readonly string[]): string {
  try {
    return parseRepository(segments.join('/'))
  } catch (error) {
    if (!(error instanceof InvalidReferenceError)) throw error
    throw new DistributionError('NAME_INVALID', 400, error.message)
  }
}
