import { pipeline, Readable } from 'node:stream'
import { VerificationError, verifyStream } from '../../bytes/verify.ts'
import { RegistryError } from '../errors.ts'
import type { RegistryRequest } from '../registry-host.ts'
import type { RepositorySession } from '../repository-session.ts'
import { toSingleLine } from '../transport/error-body.ts'
import type { RegistryResponse } from '../transport/registry-response.ts'
import { networkError } from '../transport/response-error.ts'
import { waitBeforeRetry } from '../transport/retry.ts'
import { type BlobDescriptor, blobRequest, invalidBlobResponse, parseContentRange } from './blob-request.ts'

/**
 * A download fails after more consecutive interruptions than this with less than `PROGRESS_BYTES` between
 * them.
 */
const MAX_RESUMES = 5
const PROGRESS_BYTES = 1024 * 1024
/** Full responses to range requests. Each one transfers all bytes before the offset again. */
const MAX_RESTARTS = 3

/**
 * Opens a blob as a verified stream. An interrupted download resumes by Range at the registry, and not at the
 * storage that it redirected to, whose signed address may have expired.
 * @throws RegistryError NOT_FOUND and others; VerificationError, also from the stream
 */
export async function openBlob(session: RepositorySession, blob: BlobDescriptor): Promise<Readable> {
  const request = blobRequest(session, blob.digest)
  const response = await session.registry.open(request)
  // Some storage serves compressed layers with Content-Encoding although the bytes are those of the blob. So
  // the header is mentioned only if the bytes are wrong.
  const { encoding } = response
  const note = encoding === undefined ? '' : ` (sent with Content-Encoding: ${toSingleLine(encoding)})`
  if (response.length !== undefined && response.length !== blob.size) {
    response.body.destroy()
    const message = `blob ${blob.digest} has ${response.length} bytes at ${session.host}${note}, not the expected ${blob.size}`
    throw new VerificationError('SIZE_MISMATCH', message)
  }
  const download = new BlobDownload(session, request, blob.size, response)
  const source = Readable.from(download.pieces(), { objectMode: false })
  // A stream that is destroyed before it is read never starts the generator.
  source.once('close', () => download.abandon())
  const what = `blob ${blob.digest} of ${session.repository}${note}`
  // The reader of the verified stream receives the error.
  return pipeline(source, verifyStream(blob, what), () => undefined)
}

/** The download of one blob across any number of connections. */
class BlobDownload {
  readonly #session: RepositorySession
  readonly #request: RegistryRequest
  readonly #size: number
  #response: RegistryResponse
  #offset = 0
  #interruptions = 0
  #restarts = 0
  /** The offset at the last interruption. */
  #interruptedAt = 0

  constructor(
    session: RepositorySession,
    request: RegistryRequest,
    size: number,
    response: RegistryResponse,
  ) {
    this.#session = session
    this.#request = request
    this.#size = size
    this.#response = response
  }

  abandon(): void {
    this.#response.body.destroy()
  }

  async *pieces(): AsyncGenerator<Buffer> {
    let bytesToSkip = 0
    for (;;) {
      try {
        for await (const piece of this.#response.pieces()) {
          const newBytes = piece.subarray(Math.min(bytesToSkip, piece.length))
          bytesToSkip -= piece.length - newBytes.length
          if (newBytes.length === 0) continue
          this.#offset += newBytes.length
          yield newBytes
        }
        if (this.#offset >= this.#size) return
        await this.#waitAfterInterruption(new Error('the response ended early'))
      } catch (error) {
        await this.#waitAfterInterruption(error)
      }
      bytesToSkip = await this.#resume()
    }
  }

  /** Counts an interruption and waits. @throws RegistryError if it is one too many or not retryable */
  async #waitAfterInterruption(error: unknown): Promise<void> {
    const { signal, registry } = this.#session
    signal?.throwIfAborted()
    const failure = networkError(error, this.#request)
    if (this.#offset - this.#interruptedAt >= PROGRESS_BYTES) this.#interruptions = 0
    this.#interruptedAt = this.#offset
    this.#interruptions += 1
    if (!failure.retryable || this.#interruptions > MAX_RESUMES) throw failure
    await waitBeforeRetry(failure, this.#interruptions, registry.retry, signal)
  }

  /**
   * Requests the blob from the current offset. Returns the number of response bytes to skip.
   * @throws RegistryError
   */
  async #resume(): Promise<number> {
    const headers = { range: `bytes=${this.#offset}-` }
    this.#response = await this.#session.registry.open({ ...this.#request, headers, expect: [200, 206] })
    if (this.#response.status === 206) {
      if (parseContentRange(this.#response)?.start === this.#offset) return 0
      this.abandon()
      throw invalidBlobResponse(this.#request, `sent a range that does not start at byte ${this.#offset}`)
    }
    this.#restarts += 1
    if (this.#restarts <= MAX_RESTARTS) return this.#offset
    this.abandon()
    const { operation, host } = this.#request
    const reason = `interrupted the download ${this.#restarts} times and does not support Range to resume it`
    throw new RegistryError('NETWORK', { operation, host, reason, retryable: true })
  }
}
