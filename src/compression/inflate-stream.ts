import { createInflateRaw } from 'node:zlib'
import type { ByteSource } from './byte-source.ts'
import { NativeDecoder } from './native-decoder.ts'

/**
 * The compressed bytes passed to the decoder at once. Deflate expands them by a factor of at most 1032, so
 * that the buffered output stays within 64 MiB.
 */
const INPUT_BYTES = 64 * 1024

/**
 * Decodes one deflate stream (RFC 1951) from a source and skips exactly its bytes.
 * @returns whether the stream ended before the source did
 * @throws what node:zlib throws
 */
export async function* inflateStream(source: ByteSource): AsyncGenerator<Buffer, boolean, void> {
  using decoder = new NativeDecoder(createInflateRaw({ chunkSize: 128 * 1024 }))
  for (;;) {
    const input = (await source.peek(1)).subarray(0, INPUT_BYTES)
    if (input.length === 0) return false
    const consumedBefore = decoder.consumed
    const output = await decoder.write(input)
    const consumed = decoder.consumed - consumedBefore
    source.skip(consumed)
    yield* output
    // The decoder does not consume what follows the end of its stream.
    if (consumed < input.length) break
  }
  yield* await decoder.end()
  return true
}
