import type { Readable } from 'node:stream'
import { Agent, type buildConnector, type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import { currentSpan } from '../../tracing/spans.ts'
import { traceHeaders } from '../../tracing/trace-context.ts'
import { withAuthorities } from '../egress/additional-authority.ts'
import type { AddressSource, EgressPolicy } from '../egress/egress-policy.ts'
import { guardedConnector, type Network, type Reach } from '../egress/guarded-connector.ts'
import { type OwnRegistry, ownUrl } from '../egress/own-registry.ts'
import { pinnedConnector } from '../egress/pinned-connector.ts'
import { RegistryError, type RequestContext } from '../errors.ts'
import { HostLimiter } from './host-limiter.ts'
import { endpointOf, type RegistryEndpoint, type RegistryObserver } from './registry-observer.ts'
import { RegistryResponse } from './registry-response.ts'
import { networkError, parseRetryAfterMs } from './response-error.ts'
import { MAX_RETRY_AFTER_MS } from './retry.ts'
import type { Timeouts } from './timeouts.ts'

/**
 * The operation that a request belongs to, and the registry that it is for: as references name it and its
 * root URL.
 */
export type WireContext = RequestContext & { readonly base: URL }

/** One HTTP request. */
export type WireRequest = WireContext & {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent to the origin of `url` only. */
  readonly authorization?: string | undefined
  readonly body?: Uint8Array | Readable | undefined
  /** Whether redirects of GET and HEAD are followed; default: true. */
  readonly followRedirects?: boolean
  /** What the request is about, for observers; default: according to its method and address. */
  readonly endpoint?: RegistryEndpoint
  readonly signal?: AbortSignal | undefined
}

export type TransportOptions = {
  readonly userAgent: string
  readonly ca?: string | undefined
  readonly maxRequestsPerHost: number
  readonly onWarning?: ((host: string, text: string) => void) | undefined
  readonly timeouts: Timeouts
  readonly observer?: RegistryObserver | undefined
  /** How names are resolved and addresses dialled; default: by the system. */
  readonly network?: Network | undefined
  /** A registry that is known by its certificate. */
  readonly own?: OwnRegistry | undefined
}

const MAX_REDIRECTS = 5
const MAX_REMEMBERED_WARNINGS = 1000
const MAX_LIMITERS = 1000

/**
 * Sends requests through the proxies of the environment, with additional certificate authorities and a limit
 * on concurrent requests per host. Follows redirects itself, keeps no cookies, and returns responses of any
 * status.
 */
export class Transport {
  readonly #egress: EgressPolicy
  readonly #options: TransportOptions
  /** Not an LRU cache: a limiter in use must not be evicted. */
  readonly #limiters = new Map<string, HostLimiter>()
  /** `HOST TEXT` of each reported warning. */
  readonly #reportedWarnings = new Set<string>()
  /** Never uses a proxy. */
  readonly #loopbackAgent: Dispatcher
  /** For hosts that the operator named or allows. */
  readonly #namedHostAgent: Dispatcher
  /** For all other hosts: dials public addresses only. */
  readonly #publicHostAgent: Dispatcher
  /** For the registry that is known by its certificate. Never uses a proxy. */
  readonly #own: { readonly origin: string; readonly agent: Dispatcher } | undefined

  constructor(egress: EgressPolicy, options: TransportOptions) {
    const { connectMs, responseMs, readIdleMs } = options.timeouts
    this.#egress = egress
    this.#options = options
    const tls = withAuthorities(options.ca)
    const agentOptions = {
      headersTimeout: responseMs,
      bodyTimeout: readIdleMs,
      // Of connections to proxies; the connector below has its own.
      connectTimeout: connectMs,
      // A failed HTTP/2 connection would fail every transfer on it.
      allowH2: false,
      requestTls: tls,
      proxyTls: tls,
    }
    const settings = { ...tls, allowH2: false, timeout: connectMs, setting: 'RECORD_BROKER_REGISTRIES' }
    const connector = (reach: Reach): buildConnector.connector =>
      guardedConnector(() => reach, settings, options.network)
    this.#loopbackAgent = new Agent({ ...agentOptions, connect: connector('named') })
    this.#namedHostAgent = new EnvHttpProxyAgent({ ...agentOptions, connect: connector('named') })
    this.#publicHostAgent = new EnvHttpProxyAgent({ ...agentOptions, connect: connector('public') })
    const isOwnCertificate = options.own?.isCertificate
    if (options.own && isOwnCertificate) {
      const connect = pinnedConnector(isOwnCertificate, { timeout: connectMs })
      this.#own = { origin: ownUrl(options.own).origin, agent: new Agent({ ...agentOptions, connect }) }
    }
  }

  get timeouts(): Timeouts {
    return this.#options.timeouts
  }

  get observer(): RegistryObserver | undefined {
    return this.#options.observer
  }

  /**
   * Sends a request and follows redirects of GET and HEAD. Other origins receive no credentials.
   * @throws RegistryError NETWORK, HOST_NOT_ALLOWED, INVALID_RESPONSE
   */
  async send(wireRequest: WireRequest): Promise<RegistryResponse> {
    const { method, followRedirects = true } = wireRequest
    const mayFollow = followRedirects && (method === 'GET' || method === 'HEAD')
    let { url, authorization } = wireRequest
    for (let redirects = 0; ; redirects++) {
      const response = await this.#sendLimited({ ...wireRequest, url, authorization })
      const location = response.header('location')
      const isRedirect = response.status >= 301 && response.status <= 308 && response.status !== 304
      if (!isRedirect || !mayFollow || location === undefined) return response
      await response.discard()
      const target = this.resolveAddress(location, url, wireRequest, 'redirect')
      if (redirects >= MAX_REDIRECTS) {
        throw invalidResponse(wireRequest, `redirects more than ${MAX_REDIRECTS} times`)
      }
      if (target.origin !== url.origin) authorization = undefined
      url = target
    }
  }

  /**
   * Resolves an address from a response against that response's URL, and checks it.
   * @throws RegistryError INVALID_RESPONSE, HOST_NOT_ALLOWED
   */
  resolveAddress(address: string, responseUrl: URL, context: WireContext, source: AddressSource): URL {
    const { base, operation } = context
    const url = URL.parse(address, responseUrl)
    if (url === null || url.username !== '' || url.password !== '') {
      throw invalidResponse(context, `responded with a ${source} that is not a valid URL`)
    }
    // A registry behind a TLS proxy may not know that it is: its own host was reached over TLS.
    if (url.protocol === 'http:' && base.protocol === 'https:' && url.host === base.host) {
      url.protocol = 'https:'
    }
    this.#egress.assertAllowed(url, base, source, operation)
    return url
  }

  /** Sends under the limit of the host. Records the Retry-After and the warnings of the response. */
  async #sendLimited(wireRequest: WireRequest): Promise<RegistryResponse> {
    const { url, body, signal } = wireRequest
    const limiter = this.#limiter(url.host)
    // A streamed body may come from a download from this very host: holding a permit could deadlock the two.
    const isStream = body !== undefined && !(body instanceof Uint8Array)
    if (isStream) await limiter.waitForPause(signal)
    const response = isStream
      ? await this.#sendOnce(wireRequest)
      : await limiter.run(() => this.#sendOnce(wireRequest), signal)
    if (response.status === 429 || response.status === 503) {
      const wait = parseRetryAfterMs(response.header('retry-after'))
      if (wait !== undefined && wait <= MAX_RETRY_AFTER_MS) {
        limiter.pauseFor(wait)
        currentSpan().addEvent('throttled', { 'http.response.status_code': response.status, wait_ms: wait })
        this.observer?.onPause(wireRequest.host, Date.now() + wait)
      }
    }
    this.#reportWarnings(url.host, response)
    return response
  }

  async #sendOnce(wireRequest: WireRequest): Promise<RegistryResponse> {
    const { operation, host, base, method, url, headers, authorization, body, signal } = wireRequest
    const { observer } = this
    const endpoint = wireRequest.endpoint ?? (observer && endpointOf(method, url, base))
    const onResponse = endpoint && observer?.onRequest({ host, endpoint, method })
    try {
      const response = await request(url, {
        method,
        headers: {
          'user-agent': this.#options.userAgent,
          'accept-encoding': 'identity',
          // Addresses of storage and of token servers are for exactly the headers that the registry signed.
          ...(url.origin === base.origin && traceHeaders()),
          ...headers,
          ...(authorization !== undefined && { authorization }),
        },
        body: body ?? null,
        ...(signal && { signal }),
        dispatcher: this.#dispatcher(url, base),
      })
      onResponse?.(response.statusCode)
      if (observer && body instanceof Uint8Array) observer.onBytes(host, 'sent', body.length)
      const onBytes = observer && ((bytes: number) => observer.onBytes(host, 'received', bytes))
      return new RegistryResponse(response, url, this.timeouts.readIdleMs, onBytes)
    } catch (error) {
      onResponse?.(undefined)
      signal?.throwIfAborted()
      const hostToName = url.origin === base.origin ? host : url.host
      throw networkError(error, { operation, host: url.host }, { url, host: hostToName })
    }
  }

  #dispatcher(url: URL, base: URL): Dispatcher {
    if (url.origin === this.#own?.origin) return this.#own.agent
    if (this.#egress.reach(url, base) === 'public') return this.#publicHostAgent
    const isLoopback = /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname)
    return isLoopback ? this.#loopbackAgent : this.#namedHostAgent
  }

  #limiter(host: string): HostLimiter {
    const existing = this.#limiters.get(host)
    if (existing) return existing
    // Redirects may lead to an unbounded number of hosts.
    if (this.#limiters.size >= MAX_LIMITERS) {
      for (const [name, { isIdle }] of this.#limiters) if (isIdle) this.#limiters.delete(name)
    }
    const limiter = new HostLimiter(this.#options.maxRequestsPerHost)
    this.#limiters.set(host, limiter)
    return limiter
  }

  /** Reports each `Warning: 299 - "text"` (distribution-spec 1.1, "Warnings") once. */
  #reportWarnings(host: string, response: RegistryResponse): void {
    for (const header of response.headers('warning')) {
      const text = /^\s*299 \S+ "((?:[^"\\]|\\.)*)"/.exec(header)?.[1]?.replace(/\\(.)/g, '$1')
      const key = `${host} ${text}`
      if (text === undefined || this.#reportedWarnings.has(key)) continue
      if (this.#reportedWarnings.size >= MAX_REMEMBERED_WARNINGS) continue
      this.#reportedWarnings.add(key)
      this.#options.onWarning?.(host, text)
    }
  }

  /** Closes all connections at once. */
  async close(): Promise<void> {
    const agents = [this.#loopbackAgent, this.#namedHostAgent, this.#publicHostAgent]
    if (this.#own) agents.push(this.#own.agent)
    await Promise.all(agents.map((agent) => agent.destroy()))
  }
}

function invalidResponse({ operation, host }: RequestContext, reason: string): RegistryError {
  return new RegistryError('INVALID_RESPONSE', { operation, host, reason })
}
