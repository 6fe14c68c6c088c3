import type { Readable } from 'node:stream'
import { RegistryError } from '../errors.ts'
import type { RepositorySession } from '../repository-session.ts'
import { waitBeforeRetry } from '../transport/retry.ts'
import type { UploadSession } from './upload-session.ts'

/** Chunks are not made smaller than this after a 413. */
const MIN_CHUNK_BYTES = 64 * 1024
/** Failures of one chunk in total: a registry may accept bytes and lose them again. */
const MAX_CHUNK_FAILURES = 6

/** A part of a blob. `start` is its offset in the blob. */
type Chunk = { readonly bytes: Buffer; readonly start: number }

/** Sends a blob in chunks of the size that its host accepts. */
export class ChunkedUpload {
  readonly #session: RepositorySession
  readonly #upload: UploadSession

  constructor(session: RepositorySession, upload: UploadSession) {
    this.#session = session
    this.#upload = upload
  }

  /**
   * Sends all bytes of a source. After a failed chunk it resumes at the offset that the registry reports.
   * After a 413 it sends smaller chunks, now and in later uploads to this host.
   * @throws RegistryError if the registry lost bytes of earlier chunks: a new upload is needed; what the
   * source throws
   */
  async send(source: Readable): Promise<void> {
    let start = 0
    for await (const bytes of chunksOf(source, this.#chunkBytes)) {
      await this.#sendChunk({ bytes, start })
      start += bytes.length
    }
  }

  get #chunkBytes(): number {
    return Math.max(this.#session.registry.uploads.chunkBytes, this.#upload.minChunkBytes)
  }

  async #sendChunk({ bytes, start }: Chunk): Promise<void> {
    const { registry, signal } = this.#session
    let sent = 0
    let failures = 0
    while (sent < bytes.length) {
      const part = bytes.subarray(sent, sent + this.#chunkBytes)
      const offset = start + sent
      try {
        // The Range of the response is ignored: one registry always returns that of the first chunk. The
        // digest decides.
        await this.#upload.patch(part, { 'content-range': `${offset}-${offset + part.length - 1}` })
        sent += part.length
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error
        if (error.code === 'TOO_LARGE' && this.#shrinkChunks(part.length)) continue
        failures += 1
        if (!(error.retryable || error.status === 416) || failures >= MAX_CHUNK_FAILURES) throw error
        await waitBeforeRetry(error, failures, registry.retry, signal)
        const received = await this.#upload.getOffset()
        if (received < start || received > start + bytes.length) throw error
        sent = received - start
      }
    }
  }

  /** Reduces the chunk size to a quarter; returns false at the minimum. */
  #shrinkChunks(rejectedBytes: number): boolean {
    const { uploads } = this.#session.registry
    const reduced = Math.floor(Math.min(uploads.chunkBytes, rejectedBytes) / 4)
    if (reduced < Math.max(this.#upload.minChunkBytes, MIN_CHUNK_BYTES)) return false
    uploads.chunkBytes = reduced
    return true
  }
}

/** Splits a stream into buffers of exactly `size` bytes, except for the last. */
async function* chunksOf(source: Readable, size: number): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = []
  let bufferedBytes = 0
  for await (const piece of source as AsyncIterable<Buffer>) {
    let remainder = piece
    while (bufferedBytes + remainder.length >= size) {
      const part = remainder.subarray(0, size - bufferedBytes)
      yield Buffer.concat([...pieces, part])
      remainder = remainder.subarray(part.length)
      pieces = []
      bufferedBytes = 0
    }
    if (remainder.length > 0) pieces.push(remainder)
    bufferedBytes += remainder.length
  }
  if (bufferedBytes > 0) yield Buffer.concat(pieces)
}
