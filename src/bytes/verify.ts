import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'
import { type Digest, finishDigest } from '../oci/digest.ts'

/** Bytes that are not the ones their descriptor promised. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError'
  readonly code: 'SIZE_MISMATCH' | 'DIGEST_MISMATCH'
  constructor(code: 'SIZE_MISMATCH' | 'DIGEST_MISMATCH', message: string) {
    super(message)
    this.code = code
  }
}

/** Checks a whole buffer against its descriptor. @throws VerificationError */
export function verifyBytes(
  bytes: Uint8Array,
  expected: { digest: Digest; size?: number },
  what: string,
): void {
  if (expected.size !== undefined && bytes.length !== expected.size) {
    throw sizeMismatch(what, bytes.length, expected.size)
  }
  const digest = finishDigest(createHash('sha256').update(bytes))
  if (digest !== expected.digest) throw digestMismatch(what, digest, expected.digest)
}

/**
 * A pass-through stream that ends only when size (in bytes) and digest are the expected ones, and fails
 * with a {@link VerificationError} before its end otherwise: whoever sees the end may believe the bytes.
 */
export function verifyStream(expected: { digest: Digest; size: number }, what: string): Transform {
  const hash = createHash('sha256')
  let size = 0
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      size += piece.length
      if (size > expected.size) return done(sizeMismatch(what, `more than ${expected.size}`, expected.size))
      hash.update(piece)
      done(null, piece)
    },
    flush(done) {
      if (size !== expected.size) return done(sizeMismatch(what, size, expected.size))
      const digest = finishDigest(hash)
      done(digest === expected.digest ? null : digestMismatch(what, digest, expected.digest))
    },
  })
}

function sizeMismatch(what: string, got: number | string, expected: number): VerificationError {
  return new VerificationError('SIZE_MISMATCH', `${what} has ${got} bytes where ${expected} were promised`)
}

function digestMismatch(what: string, got: Digest, expected: Digest): VerificationError {
  return new VerificationError(
    'DIGEST_MISMATCH',
    `${what} has the digest ${got} where ${expected} was promised`,
  )
}
