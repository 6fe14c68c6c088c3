import { type Hash, hash } from 'node:crypto'
import type { z } from 'zod'

/**
 * A content digest: `sha256:` and 64 lower-case hex digits. Created only in this file and by the schema of
 * the same name. The schema has a file of its own because layer threads do not need zod, which costs each of
 * them 5 MB and 50 ms at the start.
 */
export type Digest = string & z.BRAND<'Digest'>

/**
 * OCI image-spec 1.1 "Digests" also allows sha512. No registry stores by it and no eStargz reader verifies
 * it, so it is rejected here rather than half supported.
 */
export const DIGEST_PATTERN = /^sha256:[a-f0-9]{64}$/

/** Whether a text is a digest that the broker accepts. */
export function isDigest(text: string): text is Digest {
  return DIGEST_PATTERN.test(text)
}

/** Computes the digest of bytes. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}` as Digest
}

/** Finishes a SHA-256 hash and returns its value as a digest. */
export function finishDigest(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}` as Digest
}

/** Returns the hex digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length)
}
