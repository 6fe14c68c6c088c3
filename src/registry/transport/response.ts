import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { ContentEncodingError, contentEncodingOf, decodeContent } from '../../bytes/content-encoding.ts'
import { currentMovement } from '../../concurrency/stall-watch.ts'
import { RegistryError } from '../errors.ts'
import { plain } from './error-body.ts'
import type { CredentialStatus } from './hints.ts'
import { networkError, responseError } from './response-error.ts'

const ERROR_BODY_BYTES = 64 * 1024
/** Up to this much of an unwanted body is read, so that the connection can be used again. */
const DUMP_BYTES = 64 * 1024
const DUMP_MS = 5_000
/** So many bytes are a movement: what trickles stands still. */
const MOVEMENT_BYTES = 64 * 1024
/** What comes at least in the time of silence that a sender may have. */
const MIN_BYTES = 1024

/** An answer whose body has not been read yet: the owner reads it to its end, or calls {@link discard}. */
export class RegistryResponse {
  readonly status: number
  /** The address that answered, after redirects. */
  readonly url: URL
  readonly #headers: Dispatcher.ResponseData['headers']
  readonly #body: Dispatcher.ResponseData['body']
  readonly #patienceMs: number
  readonly #moved = currentMovement()

  /** @param patienceMs the longest silence of the sender */
  constructor(response: Dispatcher.ResponseData, url: URL, patienceMs: number) {
    this.#patienceMs = patienceMs
    this.status = response.statusCode
    this.url = url
    this.#headers = response.headers
    this.#body = response.body
    // A destroyed body reports it by an error event, also when nobody reads any more.
    this.#body.on('error', () => undefined)
    this.#moved()
  }

  /** The first value of a header, named in lower case. */
  header(name: string): string | undefined {
    return this.headers(name)[0]
  }

  /** All values of a header, named in lower case. */
  headers(name: string): string[] {
    const value = this.#headers[name]
    return value === undefined ? [] : [value].flat()
  }

  /** Content-Length in bytes, if it is there and a number. */
  get length(): number | undefined {
    const text = this.header('content-length')
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
  }

  get body(): Readable {
    return this.#body
  }

  /** The body as it comes. */
  async *pieces(): AsyncGenerator<Buffer> {
    const source = (this.#body as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
    let moved = 0
    let came = 0
    let waitedMs = 0
    try {
      for (;;) {
        const asked = performance.now()
        const { done, value: piece } = await source.next()
        if (done) return this.#moved()
        moved += piece.length
        came += piece.length
        if (moved >= MOVEMENT_BYTES) {
          this.#moved()
          moved = 0
        }
        // Only the sender's time counts, not that of who reads.
        waitedMs += performance.now() - asked
        if (waitedMs > this.#patienceMs) {
          if (came < MIN_BYTES) throw new Error(`it sends too slowly: ${came} bytes in ${waitedMs} ms`)
          came = 0
          waitedMs = 0
        }
        yield piece
      }
    } finally {
      await source.return?.()
    }
  }

  /** Gives the body up. */
  async discard(): Promise<void> {
    try {
      await this.#body.dump({ limit: DUMP_BYTES, signal: AbortSignal.timeout(DUMP_MS) })
    } catch {
      this.#body.destroy()
    }
  }

  /** How the body is packed, by its header; `identity` is none. */
  get encoding(): string | undefined {
    const name = this.header('content-encoding')?.trim().toLowerCase()
    return name === '' || name === 'identity' ? undefined : name
  }

  /**
   * The whole body. It is unpacked where it comes packed although that was not asked for.
   * @throws RegistryError TOO_LARGE beyond `limit` bytes, NETWORK when it breaks off, INVALID_RESPONSE when it is packed
   * in another way than it says
   */
  async bytes(limit: number, operation: string, host: string): Promise<Buffer> {
    const pieces: Uint8Array[] = []
    let size = 0
    try {
      for await (const piece of this.#unpacked(operation, host)) {
        size += piece.length
        if (size > limit) {
          const why = `answered with more than ${limit} bytes`
          throw new RegistryError('TOO_LARGE', { operation, host, why, status: this.status })
        }
        pieces.push(piece)
      }
    } catch (error) {
      if (!(error instanceof ContentEncodingError)) throw networkError(error, operation, host)
      const why = `answered with Content-Encoding: ${this.encoding}, which was not asked for: ${error.message}`
      throw new RegistryError('INVALID_RESPONSE', { operation, host, why, status: this.status, cause: error })
    }
    return Buffer.concat(pieces, size)
  }

  #unpacked(operation: string, host: string): AsyncGenerator<Uint8Array> {
    const encoding = contentEncodingOf(this.encoding)
    if (encoding === undefined) return this.pieces()
    if (encoding !== 'unknown') return decodeContent(this.pieces(), encoding)
    this.#body.destroy()
    const why = `answered with Content-Encoding: ${plain(this.encoding ?? '')}, which was not asked for and is not known here`
    throw new RegistryError('INVALID_RESPONSE', { operation, host, why, status: this.status })
  }

  /** The error that this answer means. Reads at most 64 KiB of its body. @param standing of the credentials */
  async toError(operation: string, host: string, standing?: CredentialStatus): Promise<RegistryError> {
    let body = ''
    try {
      body = (await this.bytes(ERROR_BODY_BYTES, operation, host)).toString('utf8')
    } catch {
      this.#body.destroy()
    }
    const { status } = this
    const retryAfter = this.header('retry-after')
    return responseError({ status, retryAfter, body, standing }, operation, host)
  }
}
