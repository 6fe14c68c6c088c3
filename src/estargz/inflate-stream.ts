import { once } from 'node:events'
import { createInflateRaw } from 'node:zlib'
import type { ByteSource } from './byte-source.ts'

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
  const decoder = createInflateRaw({ chunkSize: 128 * 1024 })
  let output: Buffer[] = []
  let failure: unknown
  decoder.on('data', (bytes: Buffer) => output.push(bytes))
  decoder.on('error', (error) => {
    failure = error
  })
  try {
    for (let ended = false; !ended; ) {
      const piece = (await source.peek(1)).subarray(0, INPUT_PIECE)
      if (piece.length === 0) return false
      const before = decoder.bytesWritten
      await new Promise<void>((resolve) => decoder.write(piece, () => resolve()))
      if (failure !== undefined) throw failure
      const consumed = decoder.bytesWritten - before
      source.skip(consumed)
      // What the decoder leaves lies behind the end of its stream.
      ended = consumed < piece.length
      const ready = output
      output = []
      yield* ready
    }
    if (!decoder.readableEnded) await once(decoder, 'end')
    yield* output
    return true
  } finally {
    decoder.destroy()
  }
}
