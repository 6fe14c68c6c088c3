/** Why a database cannot be used from the start, and what to do about it. */
export class DatabaseStartError extends Error {
  override readonly name = 'DatabaseStartError'
  readonly code = 'DATABASE_START'
  constructor(name: string, why: string, cause: unknown) {
    super(`DATABASE_URL: ${name}: ${why}`, { cause })
  }
}

type Coded = { readonly code?: unknown; readonly message?: unknown; readonly cause?: unknown }

/**
 * The error of a first connection, with the act that helps.
 * @param name of the database, without credentials
 */
export function startError(name: string, error: unknown): unknown {
  const { code, message } = innermost(error)
  const why = typeof code === 'string' ? whyOf(code) : undefined
  if (why !== undefined) return new DatabaseStartError(name, `${why} (${code})`, error)
  if (/password must be a string/.test(String(message))) {
    const what = 'the server asks for a password; give it in DATABASE_URL or PGPASSWORD'
    return new DatabaseStartError(name, what, error)
  }
  if (/timeout/i.test(String(message))) {
    return new DatabaseStartError(name, 'it does not answer; is the address right, and the way open?', error)
  }
  return error instanceof Error ? new DatabaseStartError(name, String(message), error) : error
}

function whyOf(code: string): string | undefined {
  // SQLSTATEs of PostgreSQL 17, appendix A.
  if (code === 'ECONNREFUSED') return 'the connection is refused; start the server, or correct the address'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'there is no such host; correct the address'
  if (code === 'ENOENT') return 'there is no server at this socket; start it, or correct the address'
  if (/^E(HOST|NET)UNREACH$|^ETIMEDOUT$/.test(code)) return 'the host cannot be reached; correct the address'
  if (code === '28P01') return 'the password is wrong; correct it in DATABASE_URL or PGPASSWORD'
  if (code.startsWith('28')) return "the server lets this user not in; see the server's pg_hba.conf"
  if (code === '3D000') return 'there is no such database; make it with createdb'
  if (code === '53300') return 'the server has no connection left; raise its max_connections'
  if (code === '57P03') return 'the server is starting or stopping; try again'
  if (code === '42501') return 'the user may not make tables here; grant it CREATE on the schema'
  if (code === 'EACCES' || code === 'EPERM' || code === 'SQLITE_READONLY') {
    return 'the file or its folder may not be written; correct its owner or its mode'
  }
  if (code.startsWith('SQLITE_CANTOPEN')) return 'the file cannot be opened; can its folder be written?'
  if (code === 'SQLITE_NOTADB') return 'the file is no SQLite database; name another one'
  if (code.startsWith('SQLITE_CORRUPT')) return 'the file is damaged; restore it from a backup'
  if (code.startsWith('SQLITE_BUSY')) return 'another process writes to the file and does not end'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a part of the path is no folder; correct it'
  if (code === 'EROFS') return 'the file system can only be read; name a folder that can be written'
  if (code === 'STORAGE_FULL' || code === 'ENOSPC') return 'the disk is full; make room'
  return undefined
}

/** The cause at the bottom that says something. */
function innermost(error: unknown): Coded {
  let inner = error as Coded
  for (let depth = 0; depth < 5; depth++) {
    if (inner instanceof AggregateError && inner.errors.length > 0) inner = inner.errors[0] as Coded
    else if (inner.cause instanceof Error) inner = inner.cause
    else break
  }
  return inner
}
