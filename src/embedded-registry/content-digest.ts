import { createHash, type Hash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'

/**
 * A digest that the registry stores content under: sha256 or sha512, the algorithms registered by OCI
 * image-spec 1.1 "Digests". The broker's own `Digest` is sha256 only; the registry also stores what other
 * clients push.
 */
export type ContentDigest = string & z.BRAND<'ContentDigest'>

export const ContentDigest = z
  .string()
  .regex(
    /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/,
    'a digest is sha256: and 64 or sha512: and 128 lower-case hex digits',
  )
  .brand<'ContentDigest'>()

export type DigestAlgorithm = 'sha256' | 'sha512'

/** All algorithms. Each has a folder below `blobs`. */
export const DIGEST_ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha512']

/** Returns the algorithm of a digest. */
export function algorithmOf(digest: ContentDigest): DigestAlgorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512'
}

/** Finalizes a hash and returns its value as a digest. */
export function finishContentDigest(algorithm: DigestAlgorithm, hash: Hash): ContentDigest {
  return `${algorithm}:${hash.digest('hex')}` as ContentDigest
}

/** Computes the digest of some bytes. */
export function contentDigestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): ContentDigest {
  return finishContentDigest(algorithm, createHash(algorithm).update(bytes))
}

/** Returns the path of content in an image layout: `blobs/<algorithm>/<hex>` (OCI image-layout 1.0). */
export function contentPath(layoutFolder: string, digest: ContentDigest): string {
  const algorithm = algorithmOf(digest)
  return join(layoutFolder, 'blobs', algorithm, digest.slice(algorithm.length + 1))
}
