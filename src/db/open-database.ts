import type { Database } from './database.ts'
import type { DatabaseObserver } from './database-observer.ts'
import { openPostgres } from './postgres/open-postgres.ts'
import { parsePostgresAddress } from './postgres/postgres-address.ts'
import { openSqlite } from './sqlite/open-sqlite.ts'
import { toStartError } from './start-error.ts'

/** How long a statement waits for another process's write to SQLite to finish. */
const SQLITE_BUSY_MS = 10_000

export type OpenOptions = {
  /** Default: true. False for a further connection of a process that has opened the database before. */
  readonly migrate?: boolean
  /** How long a statement waits for another process's write to SQLite to finish. */
  readonly busyMs?: number
  /** Is told about statements, except for those of the migration. */
  readonly observer?: DatabaseObserver | undefined
}

/**
 * Opens `sqlite:PATH` or `postgres://…` and migrates it to the latest schema. The migration holds a lock: of
 * several processes that start together, one migrates and the others wait for it.
 * @throws DatabaseStartError DATABASE_START when the database cannot be reached or migrated
 */
export async function openDatabase(
  url: string,
  { migrate = true, busyMs = SQLITE_BUSY_MS, observer }: OpenOptions = {},
): Promise<Database> {
  const path = /^sqlite:(.*)$/s.exec(url)?.[1]
  if (path !== undefined) return withStartErrors(path, () => openSqlite(path, { busyMs, migrate, observer }))
  const address = parsePostgresAddress(url)
  return withStartErrors(address.name, () => openPostgres(address, { migrate, observer }))
}

/** @param name the database's name in messages, without credentials */
async function withStartErrors(name: string, open: () => Promise<Database>): Promise<Database> {
  try {
    return await open()
  } catch (error) {
    throw toStartError(name, error)
  }
}
