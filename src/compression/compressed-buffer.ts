import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { release } from '../bytes/release.ts'

/** What is kept for a while only: speed counts. */
const LEVEL = { [constants.ZSTD_c_compressionLevel]: 1 }
/** zstd unpacks into memory of this size at a time; node:zlib takes no less than the second. */
const PIECE_BYTES = 1 << 20
const MIN_PIECE_BYTES = 64

/** Bytes to be kept for a while in little memory, by zstd. */
export function compressBuffer(bytes: Buffer): Buffer {
  const made = zstdCompressSync(bytes, { params: LEVEL })
  // What node:zlib answers may be a view of much more memory.
  const packed = Buffer.allocUnsafeSlow(made.length)
  made.copy(packed)
  release(made)
  return packed
}

/**
 * The bytes that were packed, in memory of their own.
 * @param length how many they were
 * @throws RangeError when they are not; what node:zlib throws at damage
 */
export function decompressBuffer(packed: Buffer, length: number): Buffer {
  const chunkSize = Math.min(PIECE_BYTES, Math.max(MIN_PIECE_BYTES, length))
  const bytes = zstdDecompressSync(packed, { maxOutputLength: Math.max(1, length), chunkSize })
  if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes were kept, not ${length}`)
  return bytes
}
