/** The database could not be opened at start-up. The message contains the cause and a remedy. */
class DatabaseStartError extends Error {
  override readonly name = 'DatabaseStartError'
  readonly code = 'DATABASE_START'
  constructor(name: string, problem: string, cause: unknown) {
    super(`DATABASE_URL: ${name}: ${problem}`, { cause })
  }
}

type ErrorFields = { readonly code?: unknown; readonly message?: unknown; readonly cause?: unknown }

/**
 * Converts the error of a first connection to a {@link DatabaseStartError}.
 * @param name the database's name in the message, without credentials
 */
export function toStartError(name: string, error: unknown): unknown {
  const { code, message } = innermostCause(error)
  const problem = typeof code === 'string' ? describeCode(code) : undefined
  if (problem !== undefined) return new DatabaseStartError(name, `${problem} (${code})`, error)
  if (/password must be a string/.test(String(message))) {
    const missing = 'the server requires a password; set it in DATABASE_URL or PGPASSWORD'
    return new DatabaseStartError(name, missing, error)
  }
  if (/timeout/i.test(String(message))) {
    const timeout = 'the server does not respond; check the address and the firewall'
    return new DatabaseStartError(name, timeout, error)
  }
  return error instanceof Error ? new DatabaseStartError(name, String(message), error) : error
}

/** Returns the problem and a remedy for an error code. SQLSTATEs are those of PostgreSQL 17, appendix A. */
function describeCode(code: string): string | undefined {
  if (code === 'ECONNREFUSED') return 'the connection was refused; start the server or correct the address'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host does not exist; correct the address'
  if (code === 'ENOENT') return 'no server listens on this socket; start it or correct the address'
  if (/^E(HOST|NET)UNREACH$|^ETIMEDOUT$/.test(code)) return 'the host cannot be reached; correct the address'
  if (code === '28P01') return 'the password is wrong; correct it in DATABASE_URL or PGPASSWORD'
  if (code.startsWith('28')) return "the server rejects this user; check the server's pg_hba.conf"
  if (code === '3D000') return 'the database does not exist; create it with createdb'
  if (code === '53300') return 'the server has no free connection; raise its max_connections'
  if (code === '57P03') return 'the server is starting or stopping; try again'
  if (code === '42501') return 'the user may not create tables; grant it CREATE on the schema'
  if (code === 'EACCES' || code === 'EPERM' || code === 'SQLITE_READONLY') {
    return 'the file or its folder is not writable; correct its owner or mode'
  }
  if (code.startsWith('SQLITE_CANTOPEN'))
    return 'the file cannot be opened; make sure that its folder is writable'
  if (code === 'SQLITE_NOTADB') return 'the file is not an SQLite database; set another path'
  if (code.startsWith('SQLITE_CORRUPT')) return 'the file is damaged; restore it from a backup'
  if (code.startsWith('SQLITE_BUSY')) return 'another process keeps the file locked; stop it'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a part of the path is not a folder; correct the path'
  if (code === 'EROFS') return 'the file system is read-only; set a writable path'
  if (code === 'STORAGE_FULL' || code === 'ENOSPC') return 'the disk is full; free some space'
  return undefined
}

/** Returns the innermost cause, up to five levels deep. */
function innermostCause(error: unknown): ErrorFields {
  let inner = error as ErrorFields
  for (let depth = 0; depth < 5; depth++) {
    if (inner instanceof AggregateError && inner.errors.length > 0) inner = inner.errors[0] as ErrorFields
    else if (inner.cause instanceof Error) inner = inner.cause
    else break
  }
  return inner
}
