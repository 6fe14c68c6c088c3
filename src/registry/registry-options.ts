import type { CredentialSource } from './auth/credentials.ts'
import type { Network } from './egress/guarded-connector.ts'
import type { OwnRegistry } from './egress/own-registry.ts'
import type { RepositoryRule } from './repository-rule.ts'
import type { RegistryObserver } from './transport/registry-observer.ts'
import type { ResponseBounds } from './transport/response-bounds.ts'
import type { RetryPolicy } from './transport/retry.ts'
import type { Timeouts } from './transport/timeouts.ts'

/** Options of the connections to registries. */
export type RegistryOptions = {
  /** The `User-Agent` of every request; default: `record-broker`. */
  readonly userAgent?: string | undefined
  /** Whether the host of a reference, or of an address in a response, is allowed; default: all are. */
  readonly allowedHosts?: ((host: string) => boolean) | undefined
  /** Hosts (`name[:port]`) that are accessed without TLS. */
  readonly plainHttp?: readonly string[] | undefined
  /** A registry with several names. Repositories have its preferred name, and requests go to its address. */
  readonly own?: OwnRegistry | undefined
  readonly credentials?: CredentialSource | undefined
  /** Which repositories may be used; default: all of the allowed hosts. */
  readonly allows?: RepositoryRule | undefined
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
  /** How names are resolved and addresses dialled; default: by the system. */
  readonly network?: Network | undefined
}
