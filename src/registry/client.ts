import { parseHost, parseRepository } from '../oci/reference.ts'
import { Authenticator } from './auth/authenticator.ts'
import type { CredentialSource } from './auth/credentials.ts'
import { listRepositories } from './catalog.ts'
import { RegistryHost } from './host.ts'
import { Repository } from './repository.ts'
import { Egress } from './transport/egress.ts'
import { DEFAULT_BOUNDS, type ResponseBounds } from './transport/response-bounds.ts'
import { DEFAULT_TIMEOUTS, type Timeouts, Transport } from './transport/transport.ts'

/** Requests that wait for their answer at one host at the same time. Bodies that stream are not counted. */
const REQUESTS_PER_HOST = 6

/** How registries are spoken to. Everything may be left out. */
export type RegistryOptions = {
  /** The `User-Agent` of every request. Default: `record-broker`. */
  readonly userAgent?: string | undefined
  /** Asked about the host of every reference, and of every address that an answer leads to. Default: all. */
  readonly allowedHosts?: ((host: string) => boolean) | undefined
  /** Hosts (`name[:port]`) that are spoken to without TLS. */
  readonly plainHttp?: readonly string[] | undefined
  readonly credentials?: CredentialSource | undefined
  /** Further certificate authorities, PEM. */
  readonly ca?: string | undefined
  readonly maxRequestsPerHost?: number | undefined
  /** Told once about each `Warning: 299` of a registry. */
  readonly onWarning?: ((host: string, text: string) => void) | undefined
  /** Token servers (hosts) that may see a registry's credentials, by the registry's host. */
  readonly realmHosts?: Readonly<Record<string, readonly string[]>> | undefined
  /** Tries in all, and the first pause in milliseconds (it doubles, with jitter). */
  readonly retry?: { readonly attempts?: number; readonly baseMs?: number } | undefined
  readonly bounds?: Partial<ResponseBounds> | undefined
  readonly patience?: Partial<Timeouts> | undefined
}

/** Talks to any number of registries; keeps connections, tokens and what it learned about each host. */
export class RegistryClient implements AsyncDisposable {
  readonly #options: RegistryOptions
  readonly #patience: Timeouts
  readonly #egress: Egress
  readonly #transport: Transport
  readonly #hosts = new Map<string, RegistryHost>()

  constructor(options: RegistryOptions = {}) {
    this.#options = options
    this.#patience = { ...DEFAULT_TIMEOUTS, ...options.patience }
    this.#egress = new Egress(options)
    this.#transport = new Transport(this.#egress, {
      userAgent: options.userAgent ?? 'record-broker',
      ca: options.ca,
      maxRequestsPerHost: options.maxRequestsPerHost ?? REQUESTS_PER_HOST,
      onWarning: options.onWarning,
      patience: this.#patience,
    })
  }

  /**
   * The repository that a reference names; nothing is sent.
   * @throws RegistryError HOST_NOT_ALLOWED; InvalidReference
   */
  repository(reference: { readonly host: string; readonly repository: string }): Repository {
    const host = parseHost(reference.host)
    const repository = parseRepository(reference.repository)
    return new Repository(this.#host(host), repository)
  }

  /**
   * All repositories of a registry that has a catalogue.
   * @throws RegistryError HOST_NOT_ALLOWED; DENIED where there is none
   */
  catalog(host: string, options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterable<string> {
    return listRepositories(this.#host(parseHost(host)), options.signal)
  }

  #host(host: string): RegistryHost {
    const base = this.#egress.base(host)
    const known = this.#hosts.get(host)
    if (known !== undefined) return known
    const authenticator = new Authenticator({
      transport: this.#transport,
      host,
      base,
      credentials: this.#options.credentials,
      realmHosts: this.#options.realmHosts?.[host] ?? [],
      retry: this.#options.retry,
    })
    const made = new RegistryHost({
      host,
      base,
      transport: this.#transport,
      authenticator,
      retry: this.#options.retry,
      bounds: { ...DEFAULT_BOUNDS, ...this.#options.bounds },
      takeMs: this.#patience.takeMs,
    })
    this.#hosts.set(host, made)
    return made
  }

  /** Ends all connections; requests still under way fail. */
  close(): Promise<void> {
    return this.#transport.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
