const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Checks the URL of an issuer.
 * @param plainHttp the hosts that are used without TLS
 * @returns what is wrong with it; undefined if nothing is
 */
export function issuerFault(text: string, plainHttp: readonly string[]): string | undefined {
  return /[?#]/.test(text) ? 'expected a URL without a query and a fragment' : addressFault(text, plainHttp)
}

/** Checks an address that an issuer serves, such as that of its keys, in the same way. */
export function addressFault(text: string, plainHttp: readonly string[]): string | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return 'expected a URL, such as https://issuer.example'
  if (url.username !== '' || url.password !== '') return 'expected a URL without a user'
  if (url.protocol === 'https:' || LOOPBACK.test(url.hostname) || plainHttp.includes(url.host))
    return undefined
  return `expected https://, or ${url.host} in RECORD_BROKER_PLAIN_HTTP`
}
