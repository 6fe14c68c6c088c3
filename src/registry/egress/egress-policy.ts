import { DOCKER_HUB, DOCKER_HUB_API_HOST, parseHost } from '../../oci/reference.ts'
import { RegistryError } from '../errors.ts'
import type { RepositoryRule } from '../repository-rule.ts'
import { hostKind } from './address-kind.ts'
import { isWithin, type Reach } from './guarded-connector.ts'
import { namedRepository } from './named-repository.ts'
import { type OwnRegistry, ownUrl } from './own-registry.ts'

/** The part of a response that an address comes from. */
export type AddressSource = 'realm' | 'redirect' | 'Location' | 'Link'

/**
 * Decides which addresses may be dialled: the host of each reference, and each address in a registry's
 * response.
 */
export class EgressPolicy {
  readonly #isAllowedHost: ((host: string) => boolean) | undefined
  readonly #plainHttpHosts: ReadonlySet<string>
  readonly #own: OwnRegistry | undefined
  readonly #allows: RepositoryRule | undefined

  constructor(options: {
    allowedHosts?: ((host: string) => boolean) | undefined
    plainHttp?: readonly string[] | undefined
    own?: OwnRegistry | undefined
    allows?: RepositoryRule | undefined
  }) {
    this.#isAllowedHost = options.allowedHosts
    this.#own = options.own
    this.#allows = options.allows
    this.#plainHttpHosts = new Set(
      (options.plainHttp ?? []).map((host) => withoutPort(parseHost(host), '80')),
    )
  }

  /** Returns the root URL of a registry's API. @throws RegistryError HOST_NOT_ALLOWED */
  baseUrl(host: string): URL {
    if (this.#isAllowedHost?.(host) === false) {
      throw new RegistryError('HOST_NOT_ALLOWED', {
        operation: 'connect to a registry',
        host,
        reason: `is not an allowed registry${host === DOCKER_HUB ? ' (a reference without a registry means it)' : ''}; add ${host} to RECORD_BROKER_REGISTRIES to allow it`,
      })
    }
    // Not out to the internet and back, whatever its public name resolves to.
    if (this.#own?.names.hosts.includes(host)) return ownUrl(this.#own)
    const scheme = this.#plainHttpHosts.has(withoutPort(host, '80')) ? 'http' : 'https'
    return new URL(`${scheme}://${host === DOCKER_HUB ? DOCKER_HUB_API_HOST : host}/`)
  }

  /**
   * Checks an address from a response of the registry at `base` before anything is resolved: it must use TLS unless
   * its host is configured for plain HTTP, and must not be a private address unless the operator named the host. What
   * a name resolves to is judged when it is dialled, see `guardedConnector`.
   * @throws RegistryError HOST_NOT_ALLOWED
   */
  assertAllowed(url: URL, base: URL, source: AddressSource, operation: string): void {
    if (url.origin === base.origin) return
    const rejection = (problem: string) =>
      new RegistryError('HOST_NOT_ALLOWED', {
        operation,
        host: base.host,
        reason: `sent a ${source} ${problem}`,
      })
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw rejection('that is not an HTTP address')
    if (url.protocol === 'http:' && !this.#plainHttpHosts.has(url.host)) {
      throw rejection(
        `to ${url.host} without TLS; add ${url.host} to RECORD_BROKER_PLAIN_HTTP if this is intended`,
      )
    }
    const kind = hostKind(url.hostname)
    if (kind === undefined || isWithin(kind, this.reach(url, base))) return
    const isListed = this.#isListed(url)
    if (isListed && !this.#isWithinRule(url)) {
      throw rejection(`to a repository of ${url.host} that this project may not read`)
    }
    // An operator who lists a link-local address means it.
    if (kind === 'private' || !isListed) {
      const problem =
        kind === 'private' ? 'not a public address' : 'a link-local address or a metadata service'
      throw rejection(
        `to ${url.host}, which is ${problem}; add ${url.host} to RECORD_BROKER_REGISTRIES if this is intended`,
      )
    }
  }

  /**
   * How far a connection may go: further if the operator named the host, or allows all hosts, and the patterns allow the
   * repository that the address names, if it names one. Otherwise a registry could send the broker to a repository that
   * the users of that registry may not read. Such a repository is read at a public address only, as anybody could.
   */
  reach(url: URL, base: URL): Reach {
    if (url.origin === base.origin) return 'named'
    const isNamed = this.#isAllowedHost === undefined || this.#isListed(url)
    return isNamed && this.#isWithinRule(url) ? 'named' : 'public'
  }

  /** Whether the settings name this host. */
  #isListed(url: URL): boolean {
    if (url.protocol === 'http:' && this.#plainHttpHosts.has(url.host)) return true
    const isAllowed = this.#isAllowedHost
    return isAllowed !== undefined && hostNames(url).some((host) => isAllowed(host))
  }

  /** Whether an address names no repository, or one that may be read. */
  #isWithinRule(url: URL): boolean {
    const repository = namedRepository(url)
    if (repository === undefined || this.#allows === undefined) return true
    if (repository === 'unclear') return false
    return hostNames(url).some((host) => this.#allows?.({ host, repository }, 'read'))
  }
}

/** The host of an address as references and settings may name it. */
function hostNames({ protocol, host, hostname, port }: URL): string[] {
  const named = host === DOCKER_HUB_API_HOST ? DOCKER_HUB : host
  return [named, `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`]
}

function withoutPort(host: string, port: string): string {
  return host.endsWith(`:${port}`) ? host.slice(0, -port.length - 1) : host
}
