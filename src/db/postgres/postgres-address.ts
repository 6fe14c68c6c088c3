/** The address of a PostgreSQL database, as `pg` accepts it. */
export type PostgresAddress = {
  readonly connectionString: string
  /**
   * The address without credentials, for messages: `host:port/database`, or `folder/database` for a Unix
   * socket.
   */
  readonly name: string
}

/** `scheme://[userinfo@]host[/database][?parameters]`. The userinfo ends at the last `@` of the authority. */
const ADDRESS = /^(postgres(?:ql)?):\/\/(?:(.*)@)?([^@/?#]*)(\/[^?#]*)?(\?[^#]*)?$/s

/**
 * Parses `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`. User and password may contain any
 * characters, percent-encoded or not: a `%` that starts no valid encoding is literal.
 * @throws Error when `url` does not have this form
 */
export function parsePostgresAddress(url: string): PostgresAddress {
  const [, scheme, userinfo, host = '', path = '', parameters = ''] = ADDRESS.exec(url) ?? []
  if (scheme === undefined) throw new Error('expected postgres://USER:PASSWORD@HOST:PORT/DATABASE')
  const credentials = userinfo === undefined ? '' : `${encodeUserinfo(userinfo)}@`
  return {
    connectionString: `${scheme}://${credentials}${host}${path}${parameters}`,
    name: `${decodeIfValid(host) || 'localhost'}${path}`,
  }
}

function encodeUserinfo(userinfo: string): string {
  const colon = userinfo.indexOf(':')
  const [user, password] =
    colon < 0 ? [userinfo, undefined] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)]
  const encode = (text: string) => encodeURIComponent(decodeIfValid(text))
  return password === undefined ? encode(user) : `${encode(user)}:${encode(password)}`
}

function decodeIfValid(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
