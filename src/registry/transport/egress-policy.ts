import { BlockList, isIP, isIPv6 } from 'node:net'
import type { HostNames } from '../../oci/host-names.ts'
import { DOCKER_HUB, DOCKER_HUB_API_HOST, parseHost } from '../../oci/reference.ts'
import { RegistryError } from '../errors.ts'

/** The part of a response that an address comes from. */
export type AddressSource = 'realm' | 'redirect' | 'Location' | 'Link'

/**
 * Decides which addresses may be dialled: the host of each reference, and each address in a registry's
 * response.
 */
export class EgressPolicy {
  readonly #isAllowedHost: ((host: string) => boolean) | undefined
  readonly #plainHttpHosts: ReadonlySet<string>
  readonly #own: { readonly names: HostNames; readonly address: string } | undefined

  constructor(options: {
    allowedHosts?: ((host: string) => boolean) | undefined
    plainHttp?: readonly string[] | undefined
    own?: { readonly names: HostNames; readonly address: string } | undefined
  }) {
    this.#isAllowedHost = options.allowedHosts
    this.#own = options.own
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
    if (this.#own?.names.hosts.includes(host)) return new URL(`http://${this.#own.address}/`)
    const scheme = this.#plainHttpHosts.has(withoutPort(host, '80')) ? 'http' : 'https'
    return new URL(`${scheme}://${host === DOCKER_HUB ? DOCKER_HUB_API_HOST : host}/`)
  }

  /**
   * Checks an address from a response of the registry at `base`: it must use TLS unless its host is
   * configured for plain HTTP, and must not be a private address unless the operator named the host.
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
    if (isPrivateHost(url) && !this.isOperatorNamed(url, base)) {
      throw rejection(
        `to ${url.host}, which is not a public address; add ${url.host} to RECORD_BROKER_REGISTRIES if this is intended`,
      )
    }
  }

  /**
   * Whether the operator named this host or allows all hosts, so that it may resolve to private addresses.
   */
  isOperatorNamed(url: URL, base: URL): boolean {
    if (url.origin === base.origin || this.#isAllowedHost === undefined) return true
    if (url.protocol === 'http:' && this.#plainHttpHosts.has(url.host)) return true
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    const host = url.host === DOCKER_HUB_API_HOST ? DOCKER_HUB : url.host
    return this.#isAllowedHost(host) || this.#isAllowedHost(`${url.hostname}:${port}`)
  }
}

function withoutPort(host: string, port: string): string {
  return host.endsWith(`:${port}`) ? host.slice(0, -port.length - 1) : host
}

/** Networks outside the public internet. The IPv4 rules also match addresses of the form `::ffff:…`. */
const NOT_PUBLIC = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  NOT_PUBLIC.addSubnet(network, bits, 'ipv4')
}
for (const [network, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  NOT_PUBLIC.addSubnet(network, bits, 'ipv6')
}

/** Whether an IP address is on the public internet. */
export function isPublicAddress(address: string): boolean {
  return isIP(address) !== 0 && !NOT_PUBLIC.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/**
 * Whether the host is a private address or localhost. The URL parser normalises `127.1`, `0x7f.1` and
 * `2130706433`.
 */
function isPrivateHost(url: URL): boolean {
  const address = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) !== 0) return !isPublicAddress(address)
  return address === 'localhost' || address.endsWith('.localhost')
}
