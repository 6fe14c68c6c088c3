import { InvalidReference, parseRepository } from '../oci/reference.ts'
import { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'

/** What a path below `/v2/` names: the endpoints of OCI distribution-spec 1.1, and Docker's catalog. */
export type Address =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: ContentDigest }
  /** A tag or a digest, not yet looked at: what a wrong one means depends on the method. */
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: ContentDigest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }

/**
 * Takes a path after `/v2/` apart, from its end: a repository's name may itself have parts called `blobs`
 * or `manifests`.
 * @throws DistributionError NAME_INVALID, DIGEST_INVALID, NAME_UNKNOWN (no such endpoint)
 */
export function parseAddress(path: string): Address {
  if (path === '') return { kind: 'base' }
  if (path === '_catalog') return { kind: 'catalog' }
  const parts = path.split('/')
  const last = parts.pop() ?? ''
  const before = parts.pop()
  if (before === 'uploads' && parts.at(-1) === 'blobs') {
    const repository = nameOf(parts.slice(0, -1))
    return last === '' ? { kind: 'uploads', repository } : { kind: 'upload', repository, id: last }
  }
  if (before === 'blobs' && last === 'uploads') return { kind: 'uploads', repository: nameOf(parts) }
  if (before === 'blobs') return { kind: 'blob', repository: nameOf(parts), digest: parseDigest(last) }
  if (before === 'manifests') return { kind: 'manifest', repository: nameOf(parts), reference: last }
  if (before === 'referrers')
    return { kind: 'referrers', repository: nameOf(parts), digest: parseDigest(last) }
  if (before === 'tags' && last === 'list') return { kind: 'tags', repository: nameOf(parts) }
  throw new DistributionError('NAME_UNKNOWN', 404, 'the path is none of the distribution API')
}

/** @throws DistributionError DIGEST_INVALID */
export function parseDigest(text: string): ContentDigest {
  const parsed = ContentDigest.safeParse(text)
  if (parsed.success) return parsed.data
  const shown = JSON.stringify(text.slice(0, 200))
  throw new DistributionError('DIGEST_INVALID', 400, `${shown}: ${parsed.error.issues[0]?.message}`)
}

/** Whether the text may name a repository. */
export function isRepository(text: string): boolean {
  try {
    parseRepository(text)
    return true
  } catch {
    return false
  }
}

function nameOf(parts: readonly string[]): string {
  try {
    return parseRepository(parts.join('/'))
  } catch (error) {
    if (!(error instanceof InvalidReference)) throw error
    throw new DistributionError('NAME_INVALID', 400, error.message)
  }
}
