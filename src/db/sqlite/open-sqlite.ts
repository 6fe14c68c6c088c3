import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Kysely, sql } from 'kysely'
import type { Database } from '../database.ts'
import type { DatabaseObserver } from '../database-observer.ts'
import { migrateToLatest } from '../migrate.ts'
import { LocalNotifier } from '../notifier.ts'
import { withTransactionSpan } from '../statement-span.ts'
import type { Tables } from '../tables.ts'
import { GroupCommit } from './group-commit.ts'
import { NonBlockingSqliteDialect } from './sqlite-dialect.ts'
import { SqliteDriver } from './sqlite-driver.ts'

/**
 * Opens the SQLite database in a file. Creates the file and its folder if they are missing.
 * @param options.busyMs how long a statement waits for another process's write to finish
 */
export async function openSqlite(
  path: string,
  {
    busyMs,
    migrate,
    observer,
  }: {
    readonly busyMs: number
    readonly migrate: boolean
    readonly observer: DatabaseObserver | undefined
  },
): Promise<Database> {
  // Only for the user of the broker: the files get the mode of the umask.
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // No wait inside the library: it would block the event loop.
  const connection = new Sqlite(path, { timeout: 0 })
  const driver = new SqliteDriver(connection, busyMs)
  const query = new Kysely<Tables>({ dialect: new NonBlockingSqliteDialect(driver) })
  const pragma = (text: string) => sql`pragma ${sql.raw(text)}`.execute(query)
  const commits = new GroupCommit(query)
  try {
    await pragma('journal_mode = WAL')
    // An existing WAL file is reopened with NORMAL, which can lose the last commits in a power cut.
    await pragma('synchronous = FULL')
    await pragma('foreign_keys = ON')
    if (migrate) await migrateToLatest(query)
  } catch (error) {
    await query.destroy()
    throw error
  }
  driver.observer = observer
  return {
    engine: 'sqlite',
    query,
    transaction: (run) => withTransactionSpan(() => commits.run(run)),
    write: (run) => withTransactionSpan(() => commits.run(run)),
    now: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
    transactionId: sql<number>`(select coalesce(max(tx), 0) + 1 from job_events)`,
    finishedBelow: sql<number>`${Number.MAX_SAFE_INTEGER}`,
    notifier: new LocalNotifier(),
    connections: () => driver.connections(),
    close: () => query.destroy(),
  }
}
