import { partsOf } from './comma-list.ts'

/** A scheme, a host and perhaps a port. The URL parser accepts more, such as `https:host` and `https://*.host`. */
const ORIGIN = /^https?:\/\/[^/?#@\\*\s]+$/i

/**
 * Parses an origin, `scheme://host[:port]`, such as that of a page in a browser (RFC 6454). Browsers compare
 * origins as text, so anything more than an origin would match no page.
 * @throws Error with the reason
 */
export function parseWebOrigin(text: string): URL {
  if (text === '*') {
    throw new Error('"*" would let every page use the broker; list the origins, as https://host[:port]')
  }
  const url = ORIGIN.test(text) ? URL.parse(text) : null
  if (url !== null) return url
  // The text may contain a password.
  const given = text.includes('@') ? '' : `, not ${JSON.stringify(text)}`
  throw new Error(`expected https://host[:port] without a path, a query or a user${given}`)
}

/** Parses a list of origins, comma separated. @throws Error with the reason */
export function parseWebOrigins(text: string): ReadonlySet<string> {
  return new Set(partsOf(text).map((part) => parseWebOrigin(part).origin))
}
