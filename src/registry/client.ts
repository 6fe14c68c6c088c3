import { HostNames } from '../oci/host-names.ts'
import { parseHost, parseRepository } from '../oci/reference.ts'
import { Authenticator } from './auth/authenticator.ts'
import type { CredentialSource } from './auth/credentials.ts'
import { listRepositories } from './list-repositories.ts'
import { RegistryHost } from './registry-host.ts'
import { type Abortable, Repository } from './repository.ts'
import { EgressPolicy } from './transport/egress-policy.ts'
import type { RegistryObserver } from './transport/registry-observer.ts'
import { DEFAULT_RESPONSE_BOUNDS, type ResponseBounds } from './transport/response-bounds.ts'
import type { RetryPolicy } from './transport/retry.ts'
import { DEFAULT_TIMEOUTS, type Timeouts } from './transport/timeouts.ts'
import { Transport } from './transport/transport.ts'

const DEFAULT_MAX_REQUESTS_PER_HOST = 6

/** Options of the connections to registries. */
export type RegistryOptions = {
  /** The `User-Agent` of every request; default: `record-broker`. */
  readonly userAgent?: string | undefined
  /** Whether the host of a reference, or of an address in a response, is allowed; default: all are. */
  readonly allowedHosts?: ((host: string) => boolean) | undefined
  /** Hosts (`name[:port]`) that are accessed without TLS. */
  readonly plainHttp?: readonly string[] | undefined
  /**
   * A registry with several names. Repositories have its preferred name, and requests go to `address`, as
   * `host:port`, in plain HTTP.
   */
  readonly own?: { readonly names: HostNames; readonly address: string } | undefined
  readonly credentials?: CredentialSource | undefined
  /** Additional certificate authorities, PEM. */
  readonly ca?: string | undefined
  /** Concurrent requests to one host that wait for their response headers. Streamed uploads do not count. */
  readonly maxRequestsPerHost?: number | undefined
  /** Called once for each distinct `Warning: 299` of a registry. */
  readonly onWarning?: ((host: string, text: string) => void) | undefined
  /** Hosts of token servers that may receive a registry's credentials, by the registry's host. */
  readonly realmHosts?: Readonly<Record<string, readonly string[]>> | undefined
  readonly retry?: RetryPolicy | undefined
  readonly bounds?: Partial<ResponseBounds> | undefined
  readonly timeouts?: Partial<Timeouts> | undefined
  /** Observes requests, bytes, errors and pauses. */
  readonly observer?: RegistryObserver | undefined
}

/** A client of any number of registries. Retains connections, tokens and what it learned about each host. */
export class RegistryClient implements AsyncDisposable {
  /** The names of the registry that has several. */
  readonly names: HostNames
  readonly #options: RegistryOptions
  readonly #egress: EgressPolicy
  readonly #transport: Transport
  readonly #hosts = new Map<string, RegistryHost>()

  constructor(options: RegistryOptions = {}) {
    this.#options = options
    this.names = options.own?.names ?? new HostNames([])
    this.#egress = new EgressPolicy(options)
    this.#transport = new Transport(this.#egress, {
      userAgent: options.userAgent ?? 'record-broker',
      ca: options.ca,
      maxRequestsPerHost: options.maxRequestsPerHost ?? DEFAULT_MAX_REQUESTS_PER_HOST,
      onWarning: options.onWarning,
      timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
      observer: options.observer,
    })
  }

  /**
   * Returns the repository that a reference names. Sends no request.
   * @throws RegistryError HOST_NOT_ALLOWED; InvalidReferenceError
   */
  repository(reference: { readonly host: string; readonly repository: string }): Repository {
    const host = parseHost(reference.host)
    const repository = parseRepository(reference.repository)
    return new Repository(this.#host(host), repository)
  }

  /**
   * Yields all repositories of a registry that has a catalog.
   * @throws RegistryError HOST_NOT_ALLOWED; DENIED if the registry has no catalog
   */
  listRepositories(host: string, options: Abortable = {}): AsyncIterable<string> {
    return listRepositories(this.#host(parseHost(host)), options.signal)
  }

  #host(named: string): RegistryHost {
    const host = this.names.preferred(named)
    // Also checks that the host is allowed.
    const base = this.#egress.baseUrl(host)
    const existing = this.#hosts.get(host)
    if (existing !== undefined) return existing
    const { credentials, realmHosts, retry, bounds } = this.#options
    const transport = this.#transport
    const authenticator = new Authenticator({
      transport,
      host,
      base,
      credentials,
      realmHosts: realmHosts?.[host] ?? [],
      retry,
    })
    const created = new RegistryHost({
      host,
      base,
      transport,
      authenticator,
      retry,
      bounds: { ...DEFAULT_RESPONSE_BOUNDS, ...bounds },
    })
    this.#hosts.set(host, created)
    return created
  }

  /** Closes all connections; requests in progress fail. */
  close(): Promise<void> {
    return this.#transport.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
