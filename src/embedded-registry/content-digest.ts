import { createHash, type Hash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'

/**
 * A digest that the registry stores content by: sha256 or sha512, the algorithms that OCI image-spec 1.1
 * "Digests" registers. Wider than the broker's own `Digest`: the registry holds what others push, too.
 */
export type ContentDigest = string & z.BRAND<'ContentDigest'>

export const ContentDigest = z
  .string()
  .regex(
    /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/,
    'a digest is sha256: and 64 or sha512: and 128 lower-case hex digits',
  )
  .brand<'ContentDigest'>()

export type Algorithm = 'sha256' | 'sha512'

/** The algorithms, each a folder below `blobs`. */
export const ALGORITHMS: readonly Algorithm[] = ['sha256', 'sha512']

/** The digest's algorithm. */
export function algorithmOf(digest: ContentDigest): Algorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512'
}

/** Ends a hash and names its value. */
export function finishContentDigest(algorithm: Algorithm, hash: Hash): ContentDigest {
  return `${algorithm}:${hash.digest('hex')}` as ContentDigest
}

/** The digest of some bytes. */
export function contentDigestOf(bytes: Uint8Array, algorithm: Algorithm = 'sha256'): ContentDigest {
  return finishContentDigest(algorithm, createHash(algorithm).update(bytes))
}

/** Where a layout folder keeps the content: `blobs/<algorithm>/<hex>` (OCI image-layout 1.0). */
export function contentPath(layoutFolder: string, digest: ContentDigest): string {
  const algorithm = algorithmOf(digest)
  return join(layoutFolder, 'blobs', algorithm, digest.slice(algorithm.length + 1))
}
