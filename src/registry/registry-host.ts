import type { Readable } from 'node:stream'
import { KeyedMutex } from '../concurrency/keyed-mutex.ts'
import type { SpanNotes } from '../tracing/spans.ts'
import type { Authenticator } from './auth/authenticator.ts'
import type { AddressSource } from './egress/egress-policy.ts'
import { RegistryError, type RequestContext } from './errors.ts'
import { withRequestSpan } from './request-span.ts'
import type { BufferedResponse } from './transport/invalid-response.ts'
import type { RegistryResponse } from './transport/registry-response.ts'
import type { ResponseBounds } from './transport/response-bounds.ts'
import { type RetryPolicy, withRetries } from './transport/retry.ts'
import type { Transport, WireRequest } from './transport/transport.ts'
import { UploadCapabilities } from './upload/upload-capabilities.ts'

/** A request to a registry. A response whose status is not in `expect` is thrown as a RegistryError. */
export type RegistryRequest = RequestContext & {
  readonly method: WireRequest['method']
  /** A path below the root of the registry, or an address from one of its responses. */
  readonly url: string | URL
  readonly scopes: readonly string[]
  readonly expect: readonly number[]
  readonly headers?: Readonly<Record<string, string>>
  /** A function opens a stream. Such a request is not retried, except once with a new token after a 401. */
  readonly body?: Uint8Array | (() => Readable) | undefined
  /** Whether a token past half of its lifetime is renewed first. */
  readonly freshToken?: boolean
  /** Whether the request is retried; default: true. */
  readonly retry?: boolean
  readonly signal?: AbortSignal | undefined
}

export type RegistryHostOptions = {
  readonly host: string
  readonly base: URL
  readonly transport: Transport
  readonly authenticator: Authenticator
  readonly retry: RetryPolicy | undefined
  readonly bounds: ResponseBounds
}

/**
 * One registry host: sends authenticated requests with retries, and holds what was learned about the host.
 */
export class RegistryHost {
  /** The host as references name it. */
  readonly host: string
  readonly base: URL
  readonly retry: RetryPolicy
  readonly bounds: ResponseBounds
  readonly uploads: UploadCapabilities
  /** Serializes updates of fallback lists of referrers: registries have no compare-and-set. */
  readonly referrerLists = new KeyedMutex()
  readonly #transport: Transport
  readonly #authenticator: Authenticator

  constructor(options: RegistryHostOptions) {
    this.host = options.host
    this.base = options.base
    this.retry = options.retry ?? {}
    this.bounds = options.bounds
    this.uploads = new UploadCapabilities(options.host)
    this.#transport = options.transport
    this.#authenticator = options.authenticator
  }

  /** Reports bytes of a streamed body to the observer; undefined without an observer. */
  get countSent(): ((bytes: number) => void) | undefined {
    const { observer } = this.#transport
    return observer && ((bytes) => observer.onBytes(this.host, 'sent', bytes))
  }

  /** How long the registry may read nothing of a request body, in milliseconds. */
  get writeIdleMs(): number {
    return this.#transport.timeouts.writeIdleMs
  }

  /** Sends a request. The caller owns the response body. @throws RegistryError */
  open(request: RegistryRequest): Promise<RegistryResponse> {
    return this.consume(request, (response) => Promise.resolve(response))
  }

  /** Sends a request and discards the response body. @throws RegistryError */
  async send(request: RegistryRequest): Promise<RegistryResponse> {
    const response = await this.open(request)
    await response.discard()
    return response
  }

  /**
   * Sends a request and reads the response body.
   * @param limit in bytes
   * @throws RegistryError TOO_LARGE and others
   */
  read(request: RegistryRequest, limit: number): Promise<BufferedResponse> {
    return this.consume(request, async (response) => ({
      response,
      bytes: await response.bytes(limit, request),
    }))
  }

  /** Sends a request and passes the response to `use` as part of each attempt. @throws RegistryError */
  consume<Result>(
    request: RegistryRequest,
    use: (response: RegistryResponse) => Promise<Result>,
  ): Promise<Result> {
    const attempt = async (span: SpanNotes) => {
      const response = await this.#sendAuthenticated(request)
      span.setAttribute('http.response.status_code', response.status)
      if (request.expect.includes(response.status)) return use(response)
      const isDenial = response.status === 401 || response.status === 403
      const status = isDenial ? await this.#authenticator.credentialStatus(response) : undefined
      throw await response.toError(request, status)
    }
    const isSingleAttempt = request.retry === false || typeof request.body === 'function'
    return withRequestSpan(request, (span) => {
      const observed = () => attempt(span).catch((error: unknown) => this.#reportError(error))
      return isSingleAttempt ? observed() : withRetries(observed, this.retry, request.signal)
    })
  }

  #reportError(error: unknown): never {
    if (error instanceof RegistryError) this.#transport.observer?.onError(this.host, error.code)
    throw error
  }

  /** Resolves and checks an address from a response of this registry. @throws RegistryError */
  resolveAddress(address: string, responseUrl: URL, operation: string, source: AddressSource): URL {
    const { host, base } = this
    return this.#transport.resolveAddress(address, responseUrl, { operation, host, base }, source)
  }

  /** Sends a request, and once more if the registry's challenge leads to another Authorization. */
  async #sendAuthenticated(request: RegistryRequest): Promise<RegistryResponse> {
    const { signal, scopes, freshToken = false } = request
    const url = new URL(request.url, this.base)
    const isOwnOrigin = url.origin === this.base.origin
    const authorization = isOwnOrigin
      ? await this.#authenticator.authorization(scopes, freshToken, signal)
      : undefined
    const response = await this.#sendOnce(request, url, authorization)
    if (response.status !== 401 || response.url.origin !== this.base.origin) return response
    const renewed = await this.#authenticator.respondToChallenge(response, scopes, authorization, signal)
    if (renewed === undefined) return response
    await response.discard()
    return this.#sendOnce(request, url, renewed)
  }

  #sendOnce(
    request: RegistryRequest,
    url: URL,
    authorization: string | undefined,
  ): Promise<RegistryResponse> {
    const { operation, method, headers, signal } = request
    const body = typeof request.body === 'function' ? request.body() : request.body
    const { host, base } = this
    return this.#transport.send({ operation, host, base, method, url, headers, authorization, body, signal })
  }
}
