import { pipeline, Readable } from 'node:stream'
import { VerificationError, verifyStream } from '../bytes/verify.ts'
import type { Digest } from '../oci/digest.ts'
import { pullScope } from './auth/scopes.ts'
import { RegistryError } from './errors.ts'
import type { RegistryHost, RegistryRequest } from './host.ts'
import { plain } from './transport/error-body.ts'
import type { RegistryResponse } from './transport/response.ts'
import { networkError } from './transport/response-error.ts'
import { pauseBeforeRetry } from './transport/retry.ts'

type Blob = { readonly digest: Digest; readonly size: number }

/** Breaks in a row without this much new data between them end a download. */
const RESUMES = 5
const PROGRESS_BYTES = 1024 * 1024
/** Answers to a ranged request that began at zero again: each costs all the bytes before the offset. */
const RESTARTS = 3

function blobRequest(
  registry: RegistryHost,
  repository: string,
  digest: Digest,
  signal?: AbortSignal,
  scope = pullScope(repository),
) {
  return {
    operation: `read blob ${digest} of ${repository}`,
    method: 'GET' as const,
    url: `/v2/${repository}/blobs/${digest}`,
    scopes: [scope],
    expect: [200],
    host: registry.host,
    signal,
  }
}

/**
 * The size of a blob, or undefined when it is not there.
 * @param scope of the token, so that a look before an upload uses the token of the upload
 */
export async function statBlob(
  registry: RegistryHost,
  repository: string,
  digest: Digest,
  signal?: AbortSignal,
  scope?: string,
): Promise<number | undefined> {
  const request = blobRequest(registry, repository, digest, signal, scope)
  // 403 also comes from storage whose signed address is good for GET only.
  const head = await registry.tell({ ...request, method: 'HEAD', expect: [200, 403, 404, 405] })
  if (head.status === 404) return undefined
  if (head.status === 200 && head.length !== undefined) return head.length
  const headers = { range: 'bytes=0-0' }
  const answer = await registry.ask({ ...request, headers, expect: [200, 206, 404, 416] })
  if (answer.status === 200) answer.body.destroy()
  else await answer.discard()
  if (answer.status === 404) return undefined
  const size = answer.status === 200 ? answer.length : contentRange(answer)?.total
  if (size === undefined) throw invalid(request, 'does not tell the size of it')
  return size
}

/**
 * Opens a blob as a verified stream that resumes by Range, always from the registry and never from the
 * storage that it redirected to.
 */
export async function openBlob(
  registry: RegistryHost,
  repository: string,
  blob: Blob,
  signal?: AbortSignal,
): Promise<Readable> {
  const request = blobRequest(registry, repository, blob.digest, signal)
  const first = await registry.ask(request)
  // Storage keeps packed layers with such a header, and their bytes are the blob's: only those that are not are told of.
  const packed = first.encoding === undefined ? '' : ` (sent with Content-Encoding: ${plain(first.encoding)})`
  if (first.length !== undefined && first.length !== blob.size) {
    first.body.destroy()
    const why = `blob ${blob.digest} has ${first.length} bytes at ${registry.host}${packed} where ${blob.size} were promised`
    throw new VerificationError('SIZE_MISMATCH', why)
  }
  const download = new Download(registry, request, blob, first)
  const source = Readable.from(download.pieces(), { objectMode: false })
  // A stream that is destroyed before it is read never enters the generator.
  source.once('close', () => download.abandon())
  // Whoever reads the verified stream sees the error there.
  return pipeline(
    source,
    verifyStream(blob, `blob ${blob.digest} of ${repository}${packed}`),
    () => undefined,
  )
}

/** One blob on its way, across any number of connections. */
class Download {
  readonly #registry: RegistryHost
  readonly #request: RegistryRequest & { host: string }
  readonly #blob: Blob
  #answer: RegistryResponse
  #offset = 0
  #breaks = 0
  #restarts = 0
  #progressAt = 0

  constructor(
    registry: RegistryHost,
    request: RegistryRequest & { host: string },
    blob: Blob,
    first: RegistryResponse,
  ) {
    this.#registry = registry
    this.#request = request
    this.#blob = blob
    this.#answer = first
  }

  abandon(): void {
    this.#answer.body.destroy()
  }

  async *pieces(): AsyncGenerator<Buffer> {
    let skip = 0
    for (;;) {
      try {
        for await (const piece of this.#answer.pieces()) {
          const rest = piece.subarray(Math.min(skip, piece.length))
          skip -= piece.length - rest.length
          if (rest.length === 0) continue
          this.#offset += rest.length
          yield rest
        }
        if (this.#offset >= this.#blob.size) return
        await this.#broke(new Error('the answer ended early'))
      } catch (error) {
        await this.#broke(error)
      }
      skip = await this.#reopen()
    }
  }

  /** Counts a break and waits; throws when it is one too many. */
  async #broke(error: unknown): Promise<void> {
    this.#request.signal?.throwIfAborted()
    const failure = networkError(error, this.#request.operation, this.#request.host)
    if (this.#offset - this.#progressAt >= PROGRESS_BYTES) this.#breaks = 0
    this.#progressAt = this.#offset
    this.#breaks += 1
    if (!failure.retryable || this.#breaks > RESUMES) throw failure
    await pauseBeforeRetry(failure, this.#breaks, this.#registry.retry, this.#request.signal)
  }

  /** Asks for the rest; gives the number of bytes to skip in the answer. */
  async #reopen(): Promise<number> {
    const headers = { range: `bytes=${this.#offset}-` }
    this.#answer = await this.#registry.ask({ ...this.#request, headers, expect: [200, 206] })
    if (this.#answer.status === 206) {
      if (contentRange(this.#answer)?.start === this.#offset) return 0
      this.#answer.body.destroy()
      throw invalid(this.#request, `sent another range than the one from byte ${this.#offset}`)
    }
    this.#restarts += 1
    if (this.#restarts <= RESTARTS) return this.#offset
    this.#answer.body.destroy()
    const why = `broke off ${this.#restarts} times and resumes no download`
    throw new RegistryError('NETWORK', { ...this.#request, why, retryable: true })
  }
}

/** Bytes `[start, end)` of a blob; a registry that ignores Range is read up to `end`. */
export async function readRange(
  registry: RegistryHost,
  repository: string,
  blob: Blob,
  range: { start: number; end: number },
  signal?: AbortSignal,
): Promise<Buffer> {
  const { start, end } = range
  const request = blobRequest(registry, repository, blob.digest, signal)
  if (!(start >= 0 && start <= end && end <= blob.size)) {
    const why = `holds ${blob.size} bytes of it: there is no range [${start}, ${end})`
    throw new RegistryError('BAD_REQUEST', { ...request, why })
  }
  if (start === end) return Buffer.alloc(0)
  const headers = { range: `bytes=${start}-${end - 1}` }
  return registry.askWhole({ ...request, headers, expect: [200, 206] }, async (answer) => {
    if (answer.status === 200) return slice(answer, start, end, request)
    const sent = contentRange(answer)
    if (sent?.start !== start || sent.end !== end - 1 || (sent.total ?? blob.size) !== blob.size) {
      answer.body.destroy()
      throw invalid(request, `sent the range ${answer.header('content-range')} for [${start}, ${end})`)
    }
    return slice(answer, 0, end - start, request)
  })
}

/** Bytes `[from, to)` of a body; what follows is not read. */
async function slice(
  answer: RegistryResponse,
  from: number,
  to: number,
  request: { operation: string; host: string },
) {
  const bytes = Buffer.allocUnsafe(to - from)
  let at = 0
  try {
    for await (const piece of answer.pieces()) {
      const wanted = piece.subarray(Math.min(piece.length, Math.max(0, from - at)), Math.max(0, to - at))
      wanted.copy(bytes, Math.max(0, at - from))
      at += piece.length
      if (at >= to) break
    }
  } catch (error) {
    throw networkError(error, request.operation, request.host)
  }
  if (at < to) throw networkError(new Error('the answer ended early'), request.operation, request.host)
  return bytes
}

/** Content-Range: `bytes START-END/TOTAL`, `bytes START-END/*` or `bytes * /TOTAL` (RFC 9110, 14.4). */
function contentRange(
  answer: RegistryResponse,
): { start?: number; end?: number; total?: number } | undefined {
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(?:(\d{1,15})|\*)$/.exec(
    answer.header('content-range') ?? '',
  )
  if (!match) return undefined
  const [, start, end, total] = match
  return {
    ...(start !== undefined && { start: Number(start) }),
    ...(end !== undefined && { end: Number(end) }),
    ...(total !== undefined && { total: Number(total) }),
  }
}

function invalid(request: { operation: string; host: string }, why: string): RegistryError {
  return new RegistryError('INVALID_RESPONSE', { ...request, why })
}
