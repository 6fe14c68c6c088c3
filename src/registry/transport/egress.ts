import { BlockList, isIP, isIPv6 } from 'node:net'
import { DOCKER_HUB, DOCKER_HUB_API_HOST, parseHost } from '../../oci/reference.ts'
import { RegistryError } from '../errors.ts'

/** Why an address is about to be dialled, beyond the reference itself. */
export type Hop = 'realm' | 'redirect' | 'Location' | 'Link'

/**
 * Decides for every address whether it may be dialled: the host of each reference, and each address that a
 * registry's answer leads to.
 */
export class Egress {
  readonly #allowed: ((host: string) => boolean) | undefined
  readonly #plain: ReadonlySet<string>

  constructor(options: {
    allowedHosts?: ((host: string) => boolean) | undefined
    plainHttp?: readonly string[] | undefined
  }) {
    this.#allowed = options.allowedHosts
    this.#plain = new Set((options.plainHttp ?? []).map((host) => withoutPort(parseHost(host), '80')))
  }

  /** The root of a registry's API. @throws RegistryError HOST_NOT_ALLOWED */
  base(host: string): URL {
    if (this.#allowed?.(host) === false) {
      throw new RegistryError('HOST_NOT_ALLOWED', {
        operation: 'use a reference',
        host,
        why: `is not a registry that may be spoken to; add ${host} to RECORD_BROKER_REGISTRIES if this is wanted`,
      })
    }
    const scheme = this.#plain.has(withoutPort(host, '80')) ? 'http' : 'https'
    return new URL(`${scheme}://${host === DOCKER_HUB ? DOCKER_HUB_API_HOST : host}/`)
  }

  /**
   * Checks an address that an answer of the registry at `base` leads to: TLS unless declared otherwise, and
   * no way into the own network unless the operator named the host.
   * @throws RegistryError HOST_NOT_ALLOWED
   */
  checkHop(url: URL, base: URL, hop: Hop, operation: string): void {
    if (url.origin === base.origin) return
    const refuse = (why: string) =>
      new RegistryError('HOST_NOT_ALLOWED', { operation, host: base.host, why: `sent a ${hop} ${why}` })
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('that is no HTTP address')
    if (url.protocol === 'http:' && !this.#plain.has(url.host)) {
      throw refuse(
        `to ${url.host} without TLS; add ${url.host} to RECORD_BROKER_PLAIN_HTTP if this is wanted`,
      )
    }
    if (isPrivateLiteral(url) && !this.isNamed(url, base)) {
      throw refuse(
        `to ${url.host}, an address that is not public; add ${url.host} to RECORD_BROKER_REGISTRIES if this is wanted`,
      )
    }
  }

  /** Whether the operator named this host, or allows all: its addresses need no check when it is dialled. */
  isNamed(url: URL, base: URL): boolean {
    if (url.origin === base.origin || this.#allowed === undefined) return true
    if (url.protocol === 'http:' && this.#plain.has(url.host)) return true
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    const host = url.host === DOCKER_HUB_API_HOST ? DOCKER_HUB : url.host
    return this.#allowed(host) || this.#allowed(`${url.hostname}:${port}`)
  }
}

function withoutPort(host: string, port: string): string {
  return host.endsWith(`:${port}`) ? host.slice(0, -port.length - 1) : host
}

/** Addresses that are not on the public internet. IPv4 rules also match `::ffff:` forms. */
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

/** The URL parser has made `127.1`, `0x7f.1` and `2130706433` into `127.0.0.1` by now. */
function isPrivateLiteral(url: URL): boolean {
  const address = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(address) !== 0) return !isPublicAddress(address)
  return address === 'localhost' || address.endsWith('.localhost')
}
