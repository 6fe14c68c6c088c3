import createClient from 'openapi-fetch'
import { isStream, parseBody, serializeBody } from './body.ts'
import { BrokerError, errorOfResponse, errorWithoutResponse } from './broker-error.ts'
import type {
  CommonOptions,
  Method,
  OptionsArgument,
  PathWith,
  Received,
  ResponseDocument,
} from './broker-request.ts'
import { requestPath } from './request-path.ts'
import { type Fetch, fetchWithRetries, type RetryLimits } from './retrying-fetch.ts'
import type { paths } from './schema.ts'

export type BrokerClientOptions = {
  /** The address of the broker, such as `https://broker.example`. In a page that the broker serves: `''`. */
  readonly baseUrl: string
  /** The token of the broker, or a function that returns it, such as one that renews it. Default: none. */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /** The project that an administrator works in. Default: all projects are seen, and `default` gets what is new. */
  readonly project?: string | undefined
  /** Sends a request. Default: the platform's `fetch`. */
  readonly fetch?: Fetch | undefined
  readonly retry?: RetryLimits | undefined
  /** The maximum time of a call with all of its attempts, in milliseconds. Default: five minutes. */
  readonly timeoutMs?: number | undefined
}

/** The options of any path, whose types `RequestOptions` has checked. */
type AnyOptions = CommonOptions & {
  readonly body?: unknown
  readonly params?: { readonly path?: Readonly<Record<string, unknown>> }
}

const TIMEOUT_MS = 300_000
const KEY_BYTES = 16

/** Creates a client of the broker. @throws TypeError if `baseUrl` is not an address */
export function createBrokerClient(options: BrokerClientOptions): BrokerClient {
  return new BrokerClient(options)
}

/**
 * Sends requests to a broker. A call resolves with the document of the response. It rejects with a {@link BrokerError},
 * or with the reason of its signal. Requests to the API that got no response, 429 or 503 are sent again; a POST has an
 * idempotency key, so that the broker does its work once.
 */
export class BrokerClient {
  /** The address of the broker, without a slash at its end. */
  readonly baseUrl: string
  readonly #api: ReturnType<typeof createClient<paths>>
  readonly #token: BrokerClientOptions['token']
  readonly #project: string | undefined
  readonly #fetch: Fetch
  readonly #retry: RetryLimits
  readonly #timeoutMs: number

  constructor({ baseUrl, token, project, fetch, retry = {}, timeoutMs = TIMEOUT_MS }: BrokerClientOptions) {
    assertAddress(baseUrl)
    this.baseUrl = baseUrl.replace(/\/+$/, '')
    this.#token = token
    this.#project = project
    this.#fetch = fetch ?? ((request) => globalThis.fetch(request))
    this.#retry = retry
    this.#timeoutMs = timeoutMs
    this.#api = createClient<paths>({
      baseUrl: this.baseUrl,
      bodySerializer: serializeBody as never,
    })
  }

  get<Path extends PathWith<'get'>>(path: Path, ...options: OptionsArgument<'get', Path>) {
    return this.#document('get', path, options)
  }

  post<Path extends PathWith<'post'>>(path: Path, ...options: OptionsArgument<'post', Path>) {
    return this.#document('post', path, options)
  }

  put<Path extends PathWith<'put'>>(path: Path, ...options: OptionsArgument<'put', Path>) {
    return this.#document('put', path, options)
  }

  delete<Path extends PathWith<'delete'>>(path: Path, ...options: OptionsArgument<'delete', Path>) {
    return this.#document('delete', path, options)
  }

  /** Sends a request, and resolves with the response as well, for its status and headers. */
  async send<M extends Method, Path extends PathWith<M>>(
    method: M,
    path: Path,
    ...[options]: OptionsArgument<M, Path>
  ): Promise<Received<M, Path>> {
    const { data, response } = await this.#call(method, path, 'text', options as AnyOptions)
    return {
      document: parseBody(data as string | undefined, response) as ResponseDocument<M, Path>,
      response,
    }
  }

  /**
   * Sends a GET once, and resolves with the response before its body has arrived. The timeout applies until then, and
   * `signal` to the body, too.
   */
  async open<Path extends PathWith<'get'>>(
    path: Path,
    ...[options]: OptionsArgument<'get', Path>
  ): Promise<{ readonly body: ReadableStream<Uint8Array> | undefined; readonly response: Response }> {
    const { data, response } = await this.#call('get', path, 'stream', options as AnyOptions)
    return { body: data as ReadableStream<Uint8Array> | undefined, response }
  }

  async #document<M extends Method, Path extends PathWith<M>>(
    method: M,
    path: Path,
    options: OptionsArgument<M, Path>,
  ): Promise<ResponseDocument<M, Path>> {
    return (await this.send(method, path, ...options)).document
  }

  async #call(
    method: Method,
    path: string,
    parseAs: 'text' | 'stream',
    { signal, timeoutMs = this.#timeoutMs, idempotencyKey, headers, ...init }: AnyOptions = {},
  ): Promise<{ readonly data: unknown; readonly response: Response }> {
    const target = requestPath(path, init.params?.path ?? {})
    // A stream can be sent once, who reads one decides how to go on, and the result of a probe is its status.
    const isRepeatable = !isStream(init.body) && parseAs === 'text' && path.startsWith('/v1/')
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), timeoutMs)
    // The types of the parameters are those of this method's callers.
    const send = this.#api.request as unknown as (
      method: Method,
      path: string,
      init: object,
    ) => Promise<{ data?: unknown; error?: unknown; response: Response }>
    try {
      const token = typeof this.#token === 'function' ? await this.#token() : this.#token
      const { data, error, response } = await send(method, target, {
        ...init,
        params: { ...init.params, path: undefined },
        parseAs,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(this.#project !== undefined && { 'record-broker-project': this.#project }),
          ...(method === 'post' &&
            path.startsWith('/v1/') && { 'idempotency-key': idempotencyKey ?? randomKey() }),
          ...headers,
        },
        signal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
        ...(isStream(init.body) && { duplex: 'half' }),
        fetch: isRepeatable
          ? (request: Request) => fetchWithRetries(request, this.#fetch, this.#retry)
          : this.#fetch,
      })
      if (!response.ok) throw errorOfResponse(response, error)
      return { data, response }
    } catch (error) {
      signal?.throwIfAborted()
      if (limit.signal.aborted) {
        throw new BrokerError(
          'TIMEOUT',
          `no response to ${method.toUpperCase()} ${path} within ${timeoutMs / 1000} s`,
        )
      }
      if (error instanceof BrokerError) throw error
      throw errorWithoutResponse(this.baseUrl || 'the broker', error)
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Pages without TLS have no `crypto.randomUUID`. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}

function assertAddress(baseUrl: string): void {
  if (baseUrl === '' || baseUrl.startsWith('/')) return
  const url = URL.parse(baseUrl)
  if (
    url &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.search === ''
  )
    return
  // The address may contain a password.
  const given = baseUrl.includes('@') ? ' without a user or a password' : `, not ${JSON.stringify(baseUrl)}`
  throw new TypeError(`baseUrl: expected an address such as https://broker.example${given}`)
}
