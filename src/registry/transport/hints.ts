import { namesSchema1, SCHEMA_1_HELP } from '../../oci/docker-schema-1.ts'
import type { RegistryErrorCode } from '../errors.ts'

/** What became of the credentials for a registry that refuses something. */
export type CredentialStatus = {
  readonly host: string
  /**
   * `not-asked-for`: in no way that is known; `withheld`: the token server is not known to belong to the registry;
   * `elsewhere`: the answer came from an address that the registry gave.
   */
  readonly credentials: 'none' | 'refused' | 'insufficient' | 'not-asked-for' | 'withheld' | 'elsewhere'
}

const CONFIG = "docker's config.json, which RECORD_BROKER_DOCKER_CONFIG names"

/** What helps where a registry refuses something. */
export function refusalHint({ host, credentials }: CredentialStatus): string {
  switch (credentials) {
    case 'none':
      return `; no credentials are configured for ${host}: if what is asked for exists and is not public, add them to ${CONFIG}`
    case 'refused':
      return `; the credentials configured for ${host} are wrong or have expired: renew them in ${CONFIG}`
    case 'insufficient':
      return `; the credentials configured for ${host} do not allow this, or there is no such thing: allow it to their user, or change them in ${CONFIG}`
    case 'not-asked-for':
      return `; there are credentials for ${host}, but it asks for none in a way that is known here (Basic, or Bearer with a realm)`
    case 'withheld':
      return `; the credentials configured for ${host} were not shown to its token server, which is not known to belong to it`
    case 'elsewhere':
      return '; the answer came from an address that it gave, where no credentials go along'
  }
}

/** What helps against other answers. @param body of the answer, as it came */
export function responseHint(code: RegistryErrorCode, status: number, body: string, host: string): string {
  if (code === 'QUOTA_EXCEEDED')
    return '; a quota of that registry is used up: raise it there, or delete images'
  if (status === 400 && SPOKE_PLAIN.test(body)) return plainToTls(host)
  if (namesSchema1(body)) return `; ${SCHEMA_1_HELP}`
  if (code === 'RATE_LIMITED') return '; RECORD_BROKER_REGISTRY_LIMITS bounds the jobs that ask it at once'
  return ''
}

/** What servers of Go, nginx and Apache answer to plain HTTP at a port with TLS. */
const SPOKE_PLAIN = /HTTP request to an HTTPS|plain HTTP/i

function plainToTls(host: string): string {
  return `; it wants TLS: take ${host} out of RECORD_BROKER_PLAIN_HTTP`
}

/** What helps against a connection that failed. @param failure code and message of what is behind it */
export function connectionHint(
  { code, message, name }: { readonly code: string; readonly message: string; readonly name: string },
  url: URL,
  host: string,
): string {
  const isTls = url.protocol === 'https:'
  if (isTls && /wrong version number|packet length|http request/i.test(message)) {
    return `; it speaks no TLS there: if that is meant, add ${host} to RECORD_BROKER_PLAIN_HTTP`
  }
  if (isTls && code === 'ECONNREFUSED' && url.port === '') {
    return `; it has no TLS at its usual port: name another one, or add ${host} to RECORD_BROKER_PLAIN_HTTP`
  }
  if (/^(DEPTH_ZERO_)?SELF_SIGNED|^UNABLE_TO/.test(code)) {
    return '; RECORD_BROKER_CA names a file with further certificate authorities'
  }
  if (!isTls && name === 'HTTPParserError') return plainToTls(host)
  return ''
}
