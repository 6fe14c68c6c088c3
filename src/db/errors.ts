import { StorageFullError } from '../bytes/storage-full-error.ts'

/** How long callers should wait before they retry. */
const RETRY_AFTER_MS = 2_000

/** The database does not respond or temporarily rejects work. Nothing was committed; a retry may succeed. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError'
  readonly code = 'DATABASE_UNAVAILABLE'
  readonly retryable = true
  readonly retryAfterMs = RETRY_AFTER_MS
  constructor(cause: unknown) {
    super('the database does not respond; try again later', { cause })
  }
}

/**
 * Codes of transient errors, from sockets, SQLite and PostgreSQL (SQLSTATEs of version 17, appendix A): too
 * many connections, shutdown, start-up, lost sessions, statement timeouts, deadlocks.
 */
const TRANSIENT_CODES =
  /^(ECONN\w+|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND|08...|53[023]..|57P0.|57014|25P03|40001|40P01|25006|SQLITE_(BUSY|LOCKED)\w*)$/
/** Messages of transient errors that the pool and the driver throw without a code (pg 8). */
const TRANSIENT_MESSAGES =
  /Connection terminated|connection is closed|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|not queryable/i
/**
 * SQLSTATE disk_full, and SQLite's codes: on a full disk it cannot extend the index of its write-ahead log
 * either.
 */
const FULL_CODES = /^(53100|SQLITE_FULL|SQLITE_IOERR_(SHMSIZE|SHMOPEN|WRITE))$/

/**
 * Converts a driver's error to a {@link DatabaseUnavailableError} or a `StorageFullError` if it is one of
 * these. Returns any other error as it is.
 */
export function toDatabaseError(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code === 'string') {
    if (FULL_CODES.test(code)) return new StorageFullError("the database's disk", { cause: error })
    if (TRANSIENT_CODES.test(code)) return new DatabaseUnavailableError(error)
  }
  return typeof message === 'string' && TRANSIENT_MESSAGES.test(message)
    ? new DatabaseUnavailableError(error)
    : error
}

/** Whether SQLite rejected a statement because another process is writing. */
export function isSqliteBusy(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(code)
}

/** Whether a statement violated a unique index: SQLSTATE 23505, or SQLite's extended result code. */
export function isUniqueViolation(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE'
}
