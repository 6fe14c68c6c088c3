import { createInflateRaw } from 'node:zlib'
import type { ByteSource } from './byte-source.ts'
import { NativeDecoder } from './native-decoder.ts'

/**
 * Compressed bytes handed to the decoder at once. Deflate grows bytes at most 1032 times, so that output
 * waiting to be taken stays within 64 MiB.
 */
const INPUT_PIECE = 64 * 1024

/**
 * Decodes one deflate stream (RFC 1951) out of a source: takes exactly its bytes, and ends with it. Returns
 * whether the stream came to its end before the source did.
 * @throws what node:zlib throws
 */
export async function* inflateStream(source: ByteSource): AsyncGenerator<Buffer, boolean, void> {
  using decoder = new NativeDecoder(createInflateRaw({ chunkSize: 128 * 1024 }))
  for (;;) {
    const piece = (await source.peek(1)).subarray(0, INPUT_PIECE)
    if (piece.length === 0) return false
    const before = decoder.taken
    const output = await decoder.write(piece)
    const consumed = decoder.taken - before
    source.skip(consumed)
    yield* output
    // What the decoder leaves lies behind the end of its stream.
    if (consumed < piece.length) break
  }
  yield* await decoder.end()
  return true
}
