import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { ContentEncodingError, decodeContent, parseContentEncoding } from '../../bytes/content-encoding.ts'
import { progressRecorder } from '../../concurrency/stall-watch.ts'
import { RegistryError, type RequestContext } from '../errors.ts'
import { toSingleLine } from './error-body.ts'
import type { CredentialStatus } from './hints.ts'
import { networkError, responseError } from './response-error.ts'

const MAX_ERROR_BODY_BYTES = 64 * 1024
/** How much of an unwanted body is read, and for how long, so that its connection can be reused. */
const MAX_DISCARD_BYTES = 64 * 1024
const MAX_DISCARD_MS = 5_000
/** The stall watch records progress after this many bytes: a trickle counts as a stall. */
const PROGRESS_BYTES = 64 * 1024
/**
 * A sender must deliver at least this many bytes within each idle timeout that it keeps the reader waiting.
 */
const MIN_BYTES_PER_TIMEOUT = 1024

/** A response whose body is unread: the owner reads it to its end, destroys it, or calls {@link discard}. */
export class RegistryResponse {
  readonly status: number
  /** The address of the response, after redirects. */
  readonly url: URL
  readonly body: Readable
  readonly #response: Dispatcher.ResponseData
  readonly #readIdleMs: number
  readonly #onBytes: ((bytes: number) => void) | undefined
  readonly #recordProgress = progressRecorder()

  /**
   * @param readIdleMs how long the sender may be silent, in milliseconds
   * @param onBytes called with numbers of bytes of the body that were read
   */
  constructor(
    response: Dispatcher.ResponseData,
    url: URL,
    readIdleMs: number,
    onBytes?: (bytes: number) => void,
  ) {
    this.#readIdleMs = readIdleMs
    this.#onBytes = onBytes
    this.#response = response
    this.status = response.statusCode
    this.url = url
    this.body = response.body
    // A destroyed body emits an error event even if nothing reads it any more.
    this.body.on('error', () => undefined)
    this.#recordProgress()
  }

  /** Returns the first value of a header. @param name in lower case */
  header(name: string): string | undefined {
    return this.headers(name)[0]
  }

  /** Returns all values of a header. @param name in lower case */
  headers(name: string): string[] {
    const value = this.#response.headers[name]
    return value === undefined ? [] : [value].flat()
  }

  /** Content-Length in bytes; undefined if it is missing or not a number. */
  get length(): number | undefined {
    const text = this.header('content-length')
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
  }

  /** Content-Encoding in lower case; undefined if it is missing or `identity`. */
  get encoding(): string | undefined {
    const name = this.header('content-encoding')?.trim().toLowerCase()
    return name === '' || name === 'identity' ? undefined : name
  }

  /**
   * Yields the body as received, without decoding it.
   * @throws Error if the sender is too slow or the connection fails
   */
  async *pieces(): AsyncGenerator<Buffer> {
    const source = (this.body as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
    let unrecordedBytes = 0
    let receivedBytes = 0
    let waitedMs = 0
    try {
      for (;;) {
        const requestedAt = performance.now()
        const { done, value: piece } = await source.next()
        if (done) return this.#recordProgress()
        unrecordedBytes += piece.length
        receivedBytes += piece.length
        if (unrecordedBytes >= PROGRESS_BYTES) {
          this.#recordProgress()
          this.#onBytes?.(unrecordedBytes)
          unrecordedBytes = 0
        }
        // Counts the time spent waiting for the sender, and not the time that the reader takes.
        waitedMs += performance.now() - requestedAt
        if (waitedMs > this.#readIdleMs) {
          if (receivedBytes < MIN_BYTES_PER_TIMEOUT) {
            throw new Error(`it sends too slowly: ${receivedBytes} bytes in ${waitedMs} ms`)
          }
          receivedBytes = 0
          waitedMs = 0
        }
        yield piece
      }
    } finally {
      this.#onBytes?.(unrecordedBytes)
      await source.return?.()
    }
  }

  /** Discards the body. */
  async discard(): Promise<void> {
    try {
      const signal = AbortSignal.timeout(MAX_DISCARD_MS)
      await this.#response.body.dump({ limit: MAX_DISCARD_BYTES, signal })
    } catch {
      this.body.destroy()
    }
  }

  /**
   * Reads the whole body, decoded if the registry encoded it although `identity` was requested.
   * @param limit in decoded bytes
   * @throws RegistryError TOO_LARGE above the limit, NETWORK, INVALID_RESPONSE if its encoding is unsupported
   * or wrong
   */
  async bytes(limit: number, context: RequestContext): Promise<Buffer> {
    const pieces: Uint8Array[] = []
    let size = 0
    try {
      for await (const piece of this.#decoded(context)) {
        size += piece.length
        if (size > limit) {
          const reason = `responded with more than ${limit} bytes`
          throw new RegistryError('TOO_LARGE', this.#details(reason, context))
        }
        pieces.push(piece)
      }
    } catch (error) {
      if (!(error instanceof ContentEncodingError)) throw networkError(error, context)
      const reason = `responded with Content-Encoding: ${this.encoding}, which was not requested: ${error.message}`
      throw new RegistryError('INVALID_RESPONSE', { ...this.#details(reason, context), cause: error })
    }
    return Buffer.concat(pieces, size)
  }

  #decoded(context: RequestContext): AsyncGenerator<Uint8Array> {
    const encoding = parseContentEncoding(this.encoding)
    if (encoding === undefined) return this.pieces()
    if (encoding !== 'unknown') return decodeContent(this.pieces(), encoding)
    this.body.destroy()
    const name = toSingleLine(this.encoding ?? '')
    const reason = `responded with Content-Encoding: ${name}, which was not requested and is not supported`
    throw new RegistryError('INVALID_RESPONSE', this.#details(reason, context))
  }

  #details(reason: string, { operation, host }: RequestContext) {
    return { operation, host, reason, status: this.status }
  }

  /** Converts an unexpected response to an error. Reads at most 64 KiB of its body. */
  async toError(context: RequestContext, credentialStatus?: CredentialStatus): Promise<RegistryError> {
    let body = ''
    try {
      body = (await this.bytes(MAX_ERROR_BODY_BYTES, context)).toString('utf8')
    } catch {
      this.body.destroy()
    }
    const { status } = this
    const retryAfter = this.header('retry-after')
    return responseError({ status, retryAfter, body, credentialStatus }, context)
  }
}
