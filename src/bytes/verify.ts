import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'
import { type Digest, finishDigest } from '../oci/digest.ts'

/** Bytes do not match their descriptor. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError'
  readonly code: 'SIZE_MISMATCH' | 'DIGEST_MISMATCH'
  constructor(code: 'SIZE_MISMATCH' | 'DIGEST_MISMATCH', message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Checks complete bytes against their descriptor.
 * @param label names them in errors
 * @throws VerificationError
 */
export function verifyBytes(
  bytes: Uint8Array,
  expected: { digest: Digest; size?: number },
  label: string,
): void {
  if (expected.size !== undefined && bytes.length !== expected.size) {
    throw sizeMismatch(label, bytes.length, expected.size)
  }
  const digest = finishDigest(createHash('sha256').update(bytes))
  if (digest !== expected.digest) throw digestMismatch(label, digest, expected.digest)
}

/**
 * Creates a pass-through stream that ends only if size (in bytes) and digest match. Otherwise it fails with a
 * {@link VerificationError} before its end, so that a reader that reaches the end may trust the bytes.
 * @param label names them in errors
 */
export function verifyStream(expected: { digest: Digest; size: number }, label: string): Transform {
  const hash = createHash('sha256')
  let size = 0
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      size += piece.length
      if (size > expected.size) return done(sizeMismatch(label, `more than ${expected.size}`, expected.size))
      hash.update(piece)
      done(null, piece)
    },
    flush(done) {
      if (size !== expected.size) return done(sizeMismatch(label, size, expected.size))
      const digest = finishDigest(hash)
      done(digest === expected.digest ? null : digestMismatch(label, digest, expected.digest))
    },
  })
}

function sizeMismatch(label: string, actual: number | string, expected: number): VerificationError {
  return new VerificationError(
    'SIZE_MISMATCH',
    `${label} has ${actual} bytes, but its descriptor says ${expected}`,
  )
}

function digestMismatch(label: string, actual: Digest, expected: Digest): VerificationError {
  return new VerificationError(
    'DIGEST_MISMATCH',
    `${label} has the digest ${actual}, but its descriptor says ${expected}`,
  )
}
