import type { Readable } from 'node:stream'
import { KeyedMutex } from '../concurrency/keyed-mutex.ts'
import type { Authenticator } from './auth/authenticator.ts'
import type { RegistryResponse } from './transport/response.ts'
import type { ResponseBounds } from './transport/response-bounds.ts'
import { type RetryPolicy, retrying } from './transport/retry.ts'
import type { Transport, WireRequest } from './transport/transport.ts'
import { UploadMethods } from './upload/upload-methods.ts'

/** A request to a registry. Any status that is not in `expect` is thrown as a RegistryError. */
export type RegistryRequest = {
  readonly operation: string
  readonly method: WireRequest['method']
  /** A path below the root of the registry, or an address that it gave. */
  readonly url: string | URL
  readonly scopes: readonly string[]
  readonly expect: readonly number[]
  readonly headers?: Readonly<Record<string, string>>
  /** A function opens the stream anew for each try; such a request is tried once, but for a refused token. */
  readonly body?: Uint8Array | (() => Readable) | undefined
  /** Renews a token that is past half of its life. */
  readonly fresh?: boolean
  /** False: the caller decides about another try. */
  readonly retry?: boolean
  readonly signal?: AbortSignal | undefined
}

/** One registry: its root, its authentication, and what was learned about it. */
export class RegistryHost {
  /** As references name it. */
  readonly host: string
  readonly base: URL
  readonly retry: RetryPolicy
  readonly bounds: ResponseBounds
  /** How long the registry may take nothing of what it is sent, in milliseconds. */
  readonly takeMs: number
  readonly uploads: UploadMethods
  /** Registries have no compare-and-set: lists of referrers are changed one at a time. */
  readonly referrerLists = new KeyedMutex()
  readonly #transport: Transport
  readonly #authenticator: Authenticator

  constructor(options: {
    host: string
    base: URL
    transport: Transport
    authenticator: Authenticator
    retry: RetryPolicy | undefined
    bounds: ResponseBounds
    takeMs: number
  }) {
    this.host = options.host
    this.base = options.base
    this.retry = options.retry ?? {}
    this.bounds = options.bounds
    this.takeMs = options.takeMs
    this.uploads = new UploadMethods(options.host)
    this.#transport = options.transport
    this.#authenticator = options.authenticator
  }

  /** Asks, authenticated and tried again as needed. The caller owns the answer's body. @throws RegistryError */
  ask(request: RegistryRequest): Promise<RegistryResponse> {
    return this.#tried(request, (answer) => Promise.resolve(answer))
  }

  /** As {@link ask}, with the use of the body being part of each try. */
  askWhole<Result>(
    request: RegistryRequest,
    take: (answer: RegistryResponse) => Promise<Result>,
  ): Promise<Result> {
    return this.#tried(request, take)
  }

  /** As {@link ask}, with the whole body of at most `limit` bytes; an answer that breaks off is asked for again. */
  read(request: RegistryRequest, limit: number): Promise<{ answer: RegistryResponse; bytes: Buffer }> {
    return this.#tried(request, async (answer) => ({
      answer,
      bytes: await answer.bytes(limit, request.operation, this.host),
    }))
  }

  /** As {@link ask}, without the body. */
  async tell(request: RegistryRequest): Promise<RegistryResponse> {
    const answer = await this.ask(request)
    await answer.discard()
    return answer
  }

  /** An address that this registry answered with, made absolute and checked. @throws RegistryError */
  resolve(text: string, answered: URL, operation: string, hop: 'Location' | 'Link'): URL {
    return this.#transport.resolve(text, answered, { operation, host: this.host, base: this.base }, hop)
  }

  #tried<Result>(
    request: RegistryRequest,
    take: (answer: RegistryResponse) => Promise<Result>,
  ): Promise<Result> {
    const once = async () => {
      const answer = await this.#authenticated(request)
      if (request.expect.includes(answer.status)) return take(answer)
      const isRefusal = answer.status === 401 || answer.status === 403
      const standing = isRefusal ? await this.#authenticator.standing(answer) : undefined
      throw await answer.toError(request.operation, this.host, standing)
    }
    const single = request.retry === false || typeof request.body === 'function'
    return single ? once() : retrying(once, this.retry, request.signal)
  }

  async #authenticated(request: RegistryRequest): Promise<RegistryResponse> {
    const { signal, scopes } = request
    const url = new URL(request.url, this.base)
    const own = url.origin === this.base.origin
    const authorization = own
      ? await this.#authenticator.header(scopes, request.fresh ?? false, signal)
      : undefined
    const answer = await this.#send(request, url, authorization)
    if (answer.status !== 401 || answer.url.origin !== this.base.origin) return answer
    const better = await this.#authenticator.afterRefusal(answer, scopes, authorization, signal)
    if (better === undefined) return answer
    await answer.discard()
    return this.#send(request, url, better)
  }

  #send(request: RegistryRequest, url: URL, authorization: string | undefined): Promise<RegistryResponse> {
    const { operation, method, headers, signal } = request
    const body = typeof request.body === 'function' ? request.body() : request.body
    const { host, base } = this
    return this.#transport.send({ operation, host, base, method, url, headers, authorization, body, signal })
  }
}
