import { isIPv4 } from 'node:net'
import { type Authority, parseAuthority } from './request-host.ts'

export type KnownHostsOptions = {
  /** The name of the broker to the outside, with its port. */
  readonly publicUrl?: URL | undefined
  /** Further names, as `name` for every port, or as `name:port`. */
  readonly allowed?: readonly string[] | undefined
}

/**
 * The hosts that requests may be for. A web page that reaches the broker under a name of its own (DNS rebinding)
 * shows that name in `Host`. It cannot show an IP address, unless the browser was told to open that address.
 */
export class KnownHosts {
  readonly #publicUrl: URL | undefined
  readonly #allowed: readonly Authority[]

  constructor({ publicUrl, allowed = [] }: KnownHostsOptions) {
    this.#publicUrl = publicUrl
    this.#allowed = allowed.map((text) => parseAuthority(text)).filter((one) => one !== undefined)
  }

  /**
   * @param host a `Host` header
   * @param localAddress the address of this machine that the request arrived at
   */
  includes(host: string, localAddress?: string): boolean {
    const authority = parseAuthority(host)
    if (authority === undefined) return false
    return (
      isLoopback(authority.name) ||
      this.#isPublicName(authority) ||
      this.#allowed.some(
        ({ name, port }) => name === authority.name && (port ?? authority.port) === authority.port,
      ) ||
      isAddress(authority.name, localAddress)
    )
  }

  /** The names to say in an error. */
  get text(): string {
    return ['localhost', ...(this.#publicUrl ? [this.#publicUrl.host] : [])].join(' and ')
  }

  #isPublicName({ name, port }: Authority): boolean {
    if (this.#publicUrl === undefined || name !== this.#publicUrl.hostname) return false
    const defaultPort = this.#publicUrl.protocol === 'https:' ? 443 : 80
    return (port ?? defaultPort) === Number(this.#publicUrl.port || defaultPort)
  }
}

/** Whether a `Host` header names this machine, with any port: it may be forwarded. */
export function isLocalHost(host: string): boolean {
  const name = parseAuthority(host)?.name
  return name !== undefined && isLoopback(name)
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'))
}

/** Whether a host is this address. That of a client of IPv4 may be in the form of IPv6. */
function isAddress(name: string, address: string | undefined): boolean {
  if (address === undefined) return false
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1]
  const literal = mapped ?? address
  return name === (literal.includes(':') ? URL.parse(`http://[${literal}]`)?.hostname : literal)
}
