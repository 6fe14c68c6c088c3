import type { FastifyRequest } from 'fastify'

/** Whether a peer is a proxy whose headers about the original request are believed. */
export type ProxyTrust = (address: string) => boolean

/** The host and the port in a `Host` header, without user, path and other things that a URL may contain. */
export type Authority = {
  /** In lower case. IPv6 addresses are in brackets, in their shortest form. */
  readonly name: string
  /** Undefined if it is the default port of the scheme. */
  readonly port: number | undefined
}

const AUTHORITY = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?\.?)(?::(\d{1,5}))?$/i

/** Parses a `Host` header. Returns undefined if it is not `name[:port]`, `IPv4[:port]` or `[IPv6][:port]`. */
export function parseAuthority(text: string): Authority | undefined {
  const [, host = '', port] = AUTHORITY.exec(text) ?? []
  if (host === '' || Number(port ?? 0) > 65_535) return undefined
  const name = host.startsWith('[') ? URL.parse(`http://${host}`)?.hostname : withoutRoot(host.toLowerCase())
  return name === undefined ? undefined : { name, port: port === undefined ? undefined : Number(port) }
}

/** The dot at the end of a name stands for the root of the DNS, and means the same name. */
function withoutRoot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}

/**
 * The host that a request is for: that of the `X-Forwarded-Host` of a trusted proxy, of the request target if it is
 * absolute (RFC 9112, 3.2.2), or of the only `Host` header. Undefined if there is none, or several.
 */
export function hostOf(
  { raw }: FastifyRequest,
  isTrustedProxy: ProxyTrust = () => false,
): string | undefined {
  const { 'x-forwarded-host': forwarded } = raw.headers
  const { remoteAddress } = raw.socket
  if (forwarded !== undefined && remoteAddress !== undefined && isTrustedProxy(remoteAddress)) {
    // The last one comes from the proxy itself; those before it may come from anybody.
    return String(forwarded).split(',').at(-1)?.trim()
  }
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(raw.url ?? '')?.[1]
  // `headers` contains only the first of several Host headers.
  const hosts = raw.rawHeaders.filter((_, i) => i % 2 === 1 && /^host$/i.test(raw.rawHeaders[i - 1] ?? ''))
  return hosts.length > 1 ? undefined : (absolute ?? hosts[0])
}
