import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { releaseBuffers } from '../bytes/release-buffers.ts'

/** The bytes are stored for a short time only, so speed matters more than size. */
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1 }
/** node:zlib decompresses into buffers of `chunkSize` and requires at least 64 bytes. */
const MAX_CHUNK_BYTES = 1 << 20
const MIN_CHUNK_BYTES = 64

/** Compresses bytes with zstd, to store them for a while in little memory. */
export function compressBuffer(bytes: Buffer): Buffer {
  const output = zstdCompressSync(bytes, { params: PARAMS })
  // The output of node:zlib may be a view of much more memory.
  const compressed = Buffer.allocUnsafeSlow(output.length)
  output.copy(compressed)
  releaseBuffers(output)
  return compressed
}

/**
 * Decompresses what {@link compressBuffer} returned, into memory of its own.
 * @param length of the original bytes
 * @throws RangeError if the length differs; what node:zlib throws for damaged bytes
 */
export function decompressBuffer(compressed: Buffer, length: number): Buffer {
  const chunkSize = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, length))
  const bytes = zstdDecompressSync(compressed, { maxOutputLength: Math.max(1, length), chunkSize })
  if (bytes.length !== length) throw new RangeError(`the stored bytes are ${bytes.length}, not ${length}`)
  return bytes
}
