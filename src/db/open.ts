import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import { Migrator } from 'kysely/migration'
import { OwnSqliteDialect, ReportingPostgresDialect } from './dialects.ts'
import { GroupCommit } from './group-commit.ts'
import { MIGRATIONS } from './migrations/migrations.ts'
import { LocalNotifier, type Notifier, PostgresNotifier } from './notifier.ts'
import { clientConfig, connectionPool, migrationPool } from './postgres.ts'
import { type PostgresAddress, postgresAddress } from './postgres-address.ts'
import { SqliteDriver } from './sqlite-driver.ts'
import { startError } from './start-error.ts'
import type { Tables } from './tables.ts'

/** How long a statement waits for another process's write to end. */
const SQLITE_BUSY_MS = 10_000

/** An open database: SQLite or PostgreSQL behind one query builder. */
export type Database = {
  readonly engine: 'sqlite' | 'postgres'
  readonly query: Kysely<Tables>
  /** Runs statements all or none; on disk when it returns. On SQLite together with others, see {@link GroupCommit}. */
  transaction<Result>(act: (transaction: Transaction<Tables>) => Promise<Result>): Promise<Result>
  /** Runs one statement that writes; on disk when it returns. On SQLite it goes along as transactions do. */
  write<Result>(statement: (query: Kysely<Tables>) => Promise<Result>): Promise<Result>
  /** The database's clock, in milliseconds, as an SQL expression. */
  readonly now: RawBuilder<number>
  /**
   * Grows with transactions, as an SQL expression for `job_events.tx`. On SQLite in the order in which they end, as there
   * is one writer at a time; on PostgreSQL in the order in which they first wrote: what is below `finishedBelow` is complete.
   */
  readonly transactionId: RawBuilder<number>
  readonly finishedBelow: RawBuilder<number>
  readonly wakeups: Notifier
  close(): Promise<void>
}

export type OpenOptions = {
  /** False for a second connection of a process that has opened it before. */
  readonly migrate?: boolean
  /** How long a statement waits for another process's write to SQLite to end. */
  readonly busyMs?: number
}

/**
 * Opens `sqlite:PATH` or `postgres://…` and brings its tables up to date, under a lock: processes that start at once wait
 * for the one that does it.
 * @throws DatabaseStartError when the database cannot be reached or brought up to date
 */
export async function openDatabase(
  url: string,
  { migrate = true, busyMs = SQLITE_BUSY_MS }: OpenOptions = {},
): Promise<Database> {
  const path = /^sqlite:(.*)$/s.exec(url)?.[1]
  const address = path === undefined ? postgresAddress(url) : undefined
  try {
    if (path !== undefined) return await openSqlite(path, busyMs, migrate)
    return await openPostgres(address ?? postgresAddress(url), migrate)
  } catch (error) {
    throw startError(path ?? address?.name ?? '', error)
  }
}

async function openSqlite(path: string, busyMs: number, migrate: boolean): Promise<Database> {
  mkdirSync(dirname(path), { recursive: true })
  // Nothing in the library itself waits.
  const connection = new Sqlite(path, { timeout: 0 })
  const query = new Kysely<Tables>({ dialect: new OwnSqliteDialect(new SqliteDriver(connection, busyMs)) })
  const pragma = (text: string) => sql`pragma ${sql.raw(text)}`.execute(query)
  const commits = new GroupCommit(query)
  try {
    await pragma('journal_mode = WAL')
    // A WAL file that is opened again falls back to NORMAL, which can lose the last commits at a power cut.
    await pragma('synchronous = FULL')
    await pragma('foreign_keys = ON')
    if (migrate) await bringUpToDate(query)
  } catch (error) {
    await query.destroy()
    throw error
  }
  return {
    engine: 'sqlite',
    query,
    transaction: (act) => commits.run(act),
    write: (statement) => commits.run(statement),
    now: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
    transactionId: sql<number>`(select coalesce(max(tx), 0) + 1 from job_events)`,
    finishedBelow: sql<number>`${Number.MAX_SAFE_INTEGER}`,
    wakeups: new LocalNotifier(),
    close: () => query.destroy(),
  }
}

async function openPostgres(address: PostgresAddress, migrate: boolean): Promise<Database> {
  if (migrate) await migratePostgres(address)
  const pool = connectionPool(address)
  const query = new Kysely<Tables>({ dialect: new ReportingPostgresDialect({ pool }) })
  const wakeups = new PostgresNotifier(clientConfig(address), (channel, topics) =>
    // A ring can be lost: its transaction does not wait for the disk.
    pool.query(
      "select set_config('synchronous_commit', 'off', true), pg_notify($1, topic) from unnest($2::text[]) as topics(topic)",
      [channel, topics],
    ),
  )
  return {
    engine: 'postgres',
    query,
    transaction: (act) => query.transaction().execute(act),
    write: (statement) => statement(query),
    now: sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
    transactionId: sql<number>`cast(cast(pg_current_xact_id() as text) as bigint)`,
    finishedBelow: sql<number>`cast(cast(pg_snapshot_xmin(pg_current_snapshot()) as text) as bigint)`,
    wakeups,
    close: async () => {
      await wakeups.close()
      await query.destroy()
    },
  }
}

async function migratePostgres(address: PostgresAddress): Promise<void> {
  const query = new Kysely<Tables>({
    dialect: new ReportingPostgresDialect({ pool: migrationPool(address) }),
  })
  try {
    await bringUpToDate(query)
  } finally {
    await query.destroy()
  }
}

async function bringUpToDate(query: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db: query, provider: { getMigrations: async () => MIGRATIONS } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw new Error('the database could not be brought up to date', { cause: error })
}
