/** How a PostgreSQL server is reached, as `pg` takes it. */
export type PostgresAddress = {
  readonly connectionString: string
  /** Without credentials, for messages: `host:port/database`, or the folder of a socket. */
  readonly name: string
}

/** `scheme://[userinfo@]host[/database][?parameters]`; whatever stands before the last `@` of the authority is userinfo. */
const ADDRESS = /^(postgres(?:ql)?):\/\/(?:(.*)@)?([^@/?#]*)(\/[^?#]*)?(\?[^#]*)?$/s

/**
 * Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`. User and password may hold any characters, encoded
 * or not: what is no percent-encoding stands for itself.
 * @throws when it is no such address
 */
export function postgresAddress(url: string): PostgresAddress {
  const [, scheme, userinfo, host = '', path = '', parameters = ''] = ADDRESS.exec(url) ?? []
  if (scheme === undefined) throw new Error('expected postgres://USER:PASSWORD@HOST:PORT/DATABASE')
  const credentials = userinfo === undefined ? '' : `${encoded(userinfo)}@`
  return {
    connectionString: `${scheme}://${credentials}${host}${path}${parameters}`,
    name: `${decoded(host) || 'localhost'}${path}`,
  }
}

function encoded(userinfo: string): string {
  const colon = userinfo.indexOf(':')
  const [user, password] =
    colon < 0 ? [userinfo, undefined] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)]
  const part = (text: string) => encodeURIComponent(decoded(text))
  return password === undefined ? part(user) : `${part(user)}:${part(password)}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
