import { type Hash, hash } from 'node:crypto'
import { z } from 'zod'

/** A content digest, `sha256:` and 64 lower-case hex digits. Made only by {@link Digest} and {@link digestOf}. */
export type Digest = string & z.BRAND<'Digest'>

/**
 * Parses a digest. OCI image-spec 1.1 "Digests" also allows sha512; no registry stores by it and no
 * eStargz reader verifies it, so it is refused here rather than half supported.
 */
export const Digest = z
  .string()
  .regex(/^sha256:[a-f0-9]{64}$/, 'a digest is sha256: and 64 lower-case hex digits')
  .brand<'Digest'>()

/** Whether the text is a digest that this broker accepts. */
export function isDigest(text: string): text is Digest {
  return Digest.safeParse(text).success
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
