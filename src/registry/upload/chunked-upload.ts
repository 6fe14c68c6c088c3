import type { Readable } from 'node:stream'
import { RegistryError } from '../errors.ts'
import { pauseBeforeRetry, type RetryPolicy } from '../transport/retry.ts'
import type { UploadMethods } from './upload-methods.ts'
import type { UploadSession } from './upload-session.ts'

/** Chunks get no smaller than this after a 413. */
const SMALLEST_CHUNK_BYTES = 64 * 1024
/** Failures of one chunk in all: a registry may take bytes and lose them again. */
const CHUNK_FAILURES = 6

/**
 * Sends a blob in chunks of one host's size. A chunk whose fate is unknown is followed by a question for the
 * offset, and the upload goes on from there; a chunk that is too large is sent in smaller ones, and the size
 * is remembered.
 * @throws RegistryError when the registry lost bytes that are not at hand any more: begin a new upload
 */
export async function sendChunks(
  session: UploadSession,
  source: Readable,
  memory: UploadMethods,
  options: { retry: RetryPolicy; signal: AbortSignal | undefined },
): Promise<void> {
  let start = 0
  for await (const chunk of chunksOf(source, Math.max(memory.chunkBytes, session.leastChunk))) {
    await sendChunk(session, chunk, start, memory, options)
    start += chunk.length
  }
}

async function sendChunk(
  session: UploadSession,
  chunk: Buffer,
  start: number,
  memory: UploadMethods,
  options: { retry: RetryPolicy; signal: AbortSignal | undefined },
): Promise<void> {
  let sent = 0
  let failures = 0
  while (sent < chunk.length) {
    const piece = chunk.subarray(sent, sent + Math.max(memory.chunkBytes, session.leastChunk))
    const from = start + sent
    try {
      // The Range of the answer is not looked at: one registry's sticks at the first chunk. The digest tells.
      await session.patch(piece, { 'content-range': `${from}-${from + piece.length - 1}` })
      sent += piece.length
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error
      if (error.code === 'TOO_LARGE' && shrink(memory, session.leastChunk, piece.length)) continue
      failures += 1
      if (!(error.retryable || error.status === 416) || failures >= CHUNK_FAILURES) throw error
      await pauseBeforeRetry(error, failures, options.retry, options.signal)
      const offset = await session.offset()
      if (offset < start || offset > start + chunk.length) throw error
      sent = offset - start
    }
  }
}

/** Makes chunks a quarter as large; false when that is not possible. */
function shrink(memory: UploadMethods, least: number, refused: number): boolean {
  const smaller = Math.floor(Math.min(memory.chunkBytes, refused) / 4)
  if (smaller < Math.max(least, SMALLEST_CHUNK_BYTES)) return false
  memory.chunkBytes = smaller
  return true
}

/** A stream as buffers of exactly `size` bytes, but for the last. */
async function* chunksOf(source: Readable, size: number): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = []
  let held = 0
  for await (const piece of source as AsyncIterable<Buffer>) {
    let rest = piece
    while (held + rest.length >= size) {
      const part = rest.subarray(0, size - held)
      yield Buffer.concat([...pieces, part])
      rest = rest.subarray(part.length)
      pieces = []
      held = 0
    }
    if (rest.length > 0) pieces.push(rest)
    held += rest.length
  }
  if (held > 0) yield Buffer.concat(pieces)
}
