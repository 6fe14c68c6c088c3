import { mentionsSchema1, SCHEMA_1_HELP } from '../../oci/docker-schema-1.ts'
import type { RegistryErrorCode } from '../errors.ts'

/** How the credentials for a registry were used when it denied a request. */
export type CredentialStatus = {
  readonly host: string
  /**
   * `unrequested`: the registry sent no challenge of a supported scheme; `withheld`: its token server is not
   * trusted with them; `elsewhere`: the response came from an address that the registry redirected to.
   */
  readonly credentials: 'none' | 'rejected' | 'insufficient' | 'unrequested' | 'withheld' | 'elsewhere'
}

/** Where credentials come from. A project may not have those of the broker's own docker config. */
const CONFIG =
  "docker's config.json (RECORD_BROKER_DOCKER_CONFIG) or the credentials of the project (record-broker registry-credential)"

/** Returns the remedy for a denied request, as the end of an error message. */
export function credentialHint({ host, credentials }: CredentialStatus): string {
  switch (credentials) {
    case 'none':
      return `; no credentials are configured for ${host}: if the name is correct and not public, add them to ${CONFIG}`
    case 'rejected':
      return `; the credentials configured for ${host} are wrong or have expired: renew them in ${CONFIG}`
    case 'insufficient':
      return `; the credentials configured for ${host} do not allow this, or the name does not exist: grant access to their user, or change them in ${CONFIG}`
    case 'unrequested':
      return `; credentials for ${host} are configured, but it does not request them in a supported way (Basic, or Bearer with a realm)`
    case 'withheld':
      return `; the credentials configured for ${host} were not sent to its token server, which is not known to belong to it`
    case 'elsewhere':
      return '; the response came from an address that the registry redirected to, which receives no credentials'
  }
}

/**
 * Returns the remedy for any other error response, or an empty string.
 * @param body of the response, unmodified
 */
export function responseHint(code: RegistryErrorCode, status: number, body: string, host: string): string {
  if (code === 'QUOTA_EXCEEDED')
    return '; a quota of that registry is used up: raise it there, or delete images'
  if (status === 400 && HTTP_ON_TLS_PORT.test(body)) return removePlainHttpHint(host)
  if (mentionsSchema1(body)) return `; ${SCHEMA_1_HELP}`
  if (code === 'RATE_LIMITED')
    return '; RECORD_BROKER_REGISTRY_LIMITS limits the concurrent jobs of a registry'
  return ''
}

/** The responses of Go, nginx and Apache to plain HTTP on a TLS port. */
const HTTP_ON_TLS_PORT = /HTTP request to an HTTPS|plain HTTP/i

function removePlainHttpHint(host: string): string {
  return `; it requires TLS: remove ${host} from RECORD_BROKER_PLAIN_HTTP`
}

/** The innermost cause of a failed connection. */
export type ConnectionFailure = { readonly code: string; readonly message: string; readonly name: string }

/** Returns the remedy for a failed connection, or an empty string. @param host to name in the setting */
export function connectionHint(failure: ConnectionFailure, url: URL, host: string): string {
  const { code, message, name } = failure
  const isTls = url.protocol === 'https:'
  if (isTls && /wrong version number|packet length|http request/i.test(message)) {
    return `; it does not speak TLS on that port: if plain HTTP is intended, add ${host} to RECORD_BROKER_PLAIN_HTTP`
  }
  if (isTls && code === 'ECONNREFUSED' && url.port === '') {
    return `; it accepts no connection on port 443: name another port, or add ${host} to RECORD_BROKER_PLAIN_HTTP`
  }
  if (/^(DEPTH_ZERO_)?SELF_SIGNED|^UNABLE_TO/.test(code)) {
    return '; set RECORD_BROKER_CA to a file with the certificate authority that signed its certificate'
  }
  if (!isTls && name === 'HTTPParserError') return removePlainHttpHint(host)
  return ''
}
