import { type Hash, hash } from 'node:crypto'
import type { z } from 'zod'

/**
 * A content digest, `sha256:` and 64 lower-case hex digits. Made only here and by the schema of this name, which has a file
 * of its own: layer threads have no use for zod, which takes 5 MB of each and 50 ms of its start.
 */
export type Digest = string & z.BRAND<'Digest'>

/**
 * How a digest reads. OCI image-spec 1.1 "Digests" also allows sha512; no registry stores by it and no
 * eStargz reader verifies it, so it is refused here rather than half supported.
 */
export const DIGEST_PATTERN = /^sha256:[a-f0-9]{64}$/

/** Whether the text is a digest that this broker accepts. */
export function isDigest(text: string): text is Digest {
  return DIGEST_PATTERN.test(text)
}

/** The digest of some bytes. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}` as Digest
}

/** Ends a sha256 hash and names its value as a digest. */
export function finishDigest(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}` as Digest
}

/** The hex digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length)
}
