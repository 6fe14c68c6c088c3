import { HostNames } from '../oci/host-names.ts'
import { Authenticator } from './auth/authenticator.ts'
import { EgressPolicy } from './egress/egress-policy.ts'
import { RegistryHost } from './registry-host.ts'
import type { RegistryOptions } from './registry-options.ts'
import { DEFAULT_RESPONSE_BOUNDS } from './transport/response-bounds.ts'
import { DEFAULT_TIMEOUTS } from './transport/timeouts.ts'
import { Transport } from './transport/transport.ts'

const DEFAULT_MAX_REQUESTS_PER_HOST = 6

/** What clients with the same credentials share: connections, tokens, and what was learned about each host. */
export class RegistryConnections {
  readonly names: HostNames
  readonly #options: RegistryOptions
  readonly #egress: EgressPolicy
  readonly #transport: Transport
  readonly #hosts = new Map<string, RegistryHost>()

  constructor(options: RegistryOptions) {
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
      network: options.network,
      own: options.own,
    })
  }

  /** Returns a host by any of its names. @throws RegistryError HOST_NOT_ALLOWED */
  host(named: string): RegistryHost {
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
      token: this.names.hosts.includes(host) ? this.#options.own?.token : undefined,
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
}
