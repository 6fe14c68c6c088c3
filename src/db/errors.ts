/** How long callers are asked to stay away when the database does not answer. */
const RETRY_AFTER_MS = 2_000

/** The database does not answer, or refuses work for now. Nothing was acknowledged; the same may succeed later. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
  readonly code = 'DATABASE_UNAVAILABLE'
  readonly retryable = true
  readonly retryAfterMs = RETRY_AFTER_MS
  constructor(cause: unknown) {
    super('the database does not answer; try again later', { cause })
  }
}

/** Of sockets, and SQLSTATEs (PostgreSQL 17, appendix A): too many connections, shutdown, start-up, lost
 * sessions, deadlocks. */
const PASSING_CODES =
  /^(ECONN\w+|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND|08...|53...|57P0.|40001|40P01|25006|SQLITE_(BUSY|LOCKED)\w*)$/
/** The pool and the driver throw these without a code (pg 8). */
const PASSING_TEXTS =
  /Connection terminated|connection is closed|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/i

/** The error as {@link DatabaseUnavailable} when it is the connection that failed, not the statement. */
export function asUnavailable(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown }
  const passing =
    (typeof code === 'string' && PASSING_CODES.test(code)) ||
    (typeof message === 'string' && PASSING_TEXTS.test(message))
  return passing ? new DatabaseUnavailable(error) : error
}

/** Whether a statement would have made a unique index hold a key twice: SQLSTATE 23505, SQLite's extended result code. */
export function isUniqueViolation(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE'
}
