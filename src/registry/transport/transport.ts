import type { Readable } from 'node:stream'
import { getCACertificates } from 'node:tls'
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import { RegistryError } from '../errors.ts'
import type { Egress } from './egress.ts'
import { HostLimiter } from './host-limiter.ts'
import { publicLookup } from './public-lookup.ts'
import { RegistryResponse } from './response.ts'
import { networkError, retryAfterMs } from './response-error.ts'
import { MAX_RETRY_AFTER_MS } from './retry.ts'

/** One request to one address. `base` is the registry it is made for. */
export type WireRequest = {
  readonly operation: string
  readonly host: string
  readonly base: URL
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent to `url`'s own origin only. */
  readonly authorization?: string | undefined
  readonly body?: Uint8Array | Readable | undefined
  /** Redirects of GET and HEAD are followed unless this is false. */
  readonly follow?: boolean
  readonly signal?: AbortSignal | undefined
}

const REDIRECTS = 5
/** How long a registry may do nothing, in milliseconds. */
export type Timeouts = {
  readonly connectMs: number
  /** Until its answer begins: committing a large blob may take it minutes. */
  readonly answerMs: number
  /** Between two pieces of its answer. */
  readonly pieceMs: number
  /** Until it takes a further piece of what it is sent. */
  readonly takeMs: number
  /** Until the answer of a token server begins, which has little to do. */
  readonly tokenMs: number
}
export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 15_000,
  answerMs: 300_000,
  pieceMs: 60_000,
  takeMs: 120_000,
  tokenMs: 30_000,
}
const WARNINGS_KEPT = 1000
const LIMITERS_KEPT = 1000

/**
 * Sends requests: proxies from the environment, own certificate authorities, redirects by hand, a limit on
 * requests per host. Keeps no cookies. Answers are passed on whatever their status.
 */
export class Transport {
  readonly #egress: Egress
  readonly #requestsPerHost: number
  readonly #userAgent: string
  readonly patience: Timeouts
  readonly #onWarning: ((host: string, text: string) => void) | undefined
  readonly #limiters = new Map<string, HostLimiter>()
  readonly #warned = new Set<string>()
  /** Loopback never goes through a proxy. */
  readonly #loopback: Dispatcher
  readonly #named: Dispatcher
  /** For hosts that nobody named: dials public addresses only. */
  readonly #guarded: Dispatcher

  constructor(
    egress: Egress,
    options: {
      userAgent: string
      ca?: string | undefined
      maxRequestsPerHost: number
      onWarning?: ((host: string, text: string) => void) | undefined
      patience: Timeouts
    },
  ) {
    const { connectMs, answerMs, pieceMs } = options.patience
    this.#egress = egress
    this.#userAgent = options.userAgent
    this.patience = options.patience
    this.#requestsPerHost = options.maxRequestsPerHost
    this.#onWarning = options.onWarning
    const tls = options.ca === undefined ? {} : { ca: [...getCACertificates('default'), options.ca] }
    const common = {
      headersTimeout: answerMs,
      bodyTimeout: pieceMs,
      connectTimeout: connectMs,
      // One broken HTTP/2 connection would break every transfer on it.
      allowH2: false,
      requestTls: tls,
      proxyTls: tls,
    }
    this.#loopback = new Agent({ ...common, connect: tls })
    this.#named = new EnvHttpProxyAgent({ ...common, connect: tls })
    this.#guarded = new EnvHttpProxyAgent({ ...common, connect: { ...tls, lookup: publicLookup } })
  }

  /**
   * Sends a request and follows the redirects of GET and HEAD. Beyond the first origin no credentials go along.
   * @throws RegistryError NETWORK, HOST_NOT_ALLOWED, INVALID_RESPONSE
   */
  async send(asked: WireRequest): Promise<RegistryResponse> {
    let url = asked.url
    let authorization = asked.authorization
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#exchange(asked, url, authorization)
      const location = answer.header('location')
      const redirected = answer.status >= 301 && answer.status <= 308 && answer.status !== 304
      const mayFollow = asked.follow !== false && (asked.method === 'GET' || asked.method === 'HEAD')
      if (!redirected || !mayFollow || location === undefined) return answer
      await answer.discard()
      const next = this.resolve(location, url, asked, 'redirect')
      if (redirects >= REDIRECTS) throw invalid(asked, `redirects more than ${REDIRECTS} times`)
      if (next.origin !== url.origin) authorization = undefined
      url = next
    }
  }

  /** An address from an answer, made absolute and checked. @throws RegistryError */
  resolve(
    text: string,
    answered: URL,
    asked: Pick<WireRequest, 'operation' | 'host' | 'base'>,
    hop: 'realm' | 'redirect' | 'Location' | 'Link',
  ): URL {
    const url = URL.parse(text, answered)
    if (url === null || url.username !== '' || url.password !== '') {
      throw invalid(asked, `answered with a ${hop} that is no address`)
    }
    // A registry that does not know of the TLS proxy before it; its own host has answered over TLS.
    if (url.protocol === 'http:' && asked.base.protocol === 'https:' && url.host === asked.base.host) {
      url.protocol = 'https:'
    }
    this.#egress.checkHop(url, asked.base, hop, asked.operation)
    return url
  }

  async #exchange(
    asked: WireRequest,
    url: URL,
    authorization: string | undefined,
  ): Promise<RegistryResponse> {
    const limiter = this.#limiter(url.host)
    const send = () => this.#request(asked, url, authorization)
    // A streamed body may wait for another transfer from this very host: it must not keep a place meanwhile.
    const streams = asked.body !== undefined && !(asked.body instanceof Uint8Array)
    if (streams) await limiter.pauseIsOver(asked.signal)
    const answer = streams ? await send() : await limiter.run(send, asked.signal)
    if (answer.status === 429 || answer.status === 503) {
      const wait = retryAfterMs(answer.header('retry-after'))
      if (wait !== undefined && wait <= MAX_RETRY_AFTER_MS) limiter.pauseFor(wait)
    }
    this.#warn(url.host, answer)
    return answer
  }

  async #request(asked: WireRequest, url: URL, authorization: string | undefined): Promise<RegistryResponse> {
    try {
      const response = await request(url, {
        method: asked.method,
        headers: {
          'user-agent': this.#userAgent,
          'accept-encoding': 'identity',
          ...asked.headers,
          ...(authorization !== undefined && { authorization }),
        },
        body: asked.body ?? null,
        ...(asked.signal && { signal: asked.signal }),
        dispatcher: this.#dispatcher(url, asked.base),
      })
      return new RegistryResponse(response, url, this.patience.pieceMs)
    } catch (error) {
      asked.signal?.throwIfAborted()
      const named = url.origin === asked.base.origin ? asked.host : url.host
      throw networkError(error, asked.operation, url.host, { url, named })
    }
  }

  #dispatcher(url: URL, base: URL): Dispatcher {
    if (!this.#egress.isNamed(url, base)) return this.#guarded
    return /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname) ? this.#loopback : this.#named
  }

  #limiter(host: string): HostLimiter {
    const known = this.#limiters.get(host)
    if (known) return known
    // Redirects may lead to ever new names.
    if (this.#limiters.size >= LIMITERS_KEPT) {
      for (const [name, { isIdle }] of this.#limiters) if (isIdle) this.#limiters.delete(name)
    }
    const limiter = new HostLimiter(this.#requestsPerHost)
    this.#limiters.set(host, limiter)
    return limiter
  }

  /** Distribution-spec 1.1, "Warnings": `Warning: 299 - "text"`. Each is told once. */
  #warn(host: string, answer: RegistryResponse): void {
    for (const header of answer.headers('warning')) {
      const text = /^\s*299 \S+ "((?:[^"\\]|\\.)*)"/.exec(header)?.[1]?.replace(/\\(.)/g, '$1')
      const key = `${host} ${text}`
      if (text === undefined || this.#warned.has(key) || this.#warned.size >= WARNINGS_KEPT) continue
      this.#warned.add(key)
      this.#onWarning?.(host, text)
    }
  }

  /** Ends all connections at once. */
  async close(): Promise<void> {
    await Promise.all([this.#loopback, this.#named, this.#guarded].map((agent) => agent.destroy()))
  }
}

function invalid(asked: Pick<WireRequest, 'operation' | 'host'>, why: string): RegistryError {
  return new RegistryError('INVALID_RESPONSE', { operation: asked.operation, host: asked.host, why })
}
