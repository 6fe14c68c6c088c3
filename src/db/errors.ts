import { StorageFullError } from '../bytes/storage-full.ts'

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

/**
 * Of sockets, and SQLSTATEs (PostgreSQL 17, appendix A): too many connections, shutdown, start-up, lost sessions, statements
 * that took too long, deadlocks.
 */
const PASSING_CODES =
  /^(ECONN\w+|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND|08...|53[023]..|57P0.|57014|25P03|40001|40P01|25006|SQLITE_(BUSY|LOCKED)\w*)$/
/** The pool and the driver throw these without a code (pg 8). */
const PASSING_TEXTS =
  /Connection terminated|connection is closed|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|not queryable/i
/** SQLSTATE disk_full, and SQLite's own: beside a full disk's journal it cannot make the index of the journal either. */
const FULL_CODES = /^(53100|SQLITE_FULL|SQLITE_IOERR_(SHMSIZE|SHMOPEN|WRITE))$/

/** The error as one that callers know: of a database that is away for now, or whose disk is full. */
export function asDatabaseError(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code === 'string') {
    if (FULL_CODES.test(code)) return new StorageFullError("the database's disk", { cause: error })
    if (PASSING_CODES.test(code)) return new DatabaseUnavailable(error)
  }
  return typeof message === 'string' && PASSING_TEXTS.test(message) ? new DatabaseUnavailable(error) : error
}

/** Whether another process writes to SQLite just now. */
export function isBusy(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(code)
}

/** Whether a statement would have made a unique index hold a key twice: SQLSTATE 23505, SQLite's extended result code. */
export function isUniqueViolation(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE'
}
