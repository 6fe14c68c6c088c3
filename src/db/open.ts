import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import { Migrator } from 'kysely/migration'
import pg from 'pg'
import { ImmediateSqliteDialect, ReportingPostgresDialect } from './dialects.ts'
import { GroupCommit } from './group-commit.ts'
import { MIGRATIONS } from './migrations.ts'
import { SqliteStatements } from './sqlite-statements.ts'
import type { Tables } from './tables.ts'
import { LocalWakeups, PostgresWakeups, type Wakeups } from './wakeups.ts'

/** How long a statement waits for another process's write to end. */
const SQLITE_BUSY_MS = 10_000
const POSTGRES_CONNECTIONS = 10
/** A database that is away is reported soon, so that callers can come back. */
const POSTGRES_CONNECT_MS = 5_000
const INT8_OID = 20

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
  readonly wakeups: Wakeups
  close(): Promise<void>
}

/**
 * Opens `sqlite:PATH` or `postgres://…` and brings its tables up to date, under a lock: processes that start at once wait
 * for the one that does it.
 * @param migrate false for a second connection of a process that has opened it before
 * @throws when the database cannot be reached or a migration fails
 */
export async function openDatabase(url: string, { migrate = true } = {}): Promise<Database> {
  const database = url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length)) : openPostgres(url)
  try {
    if (migrate) await bringUpToDate(database.query)
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}

function openSqlite(path: string): Database {
  mkdirSync(dirname(path), { recursive: true })
  const connection = new Sqlite(path)
  connection.pragma(`busy_timeout = ${SQLITE_BUSY_MS}`)
  connection.pragma('journal_mode = WAL')
  // A WAL file that is opened again falls back to NORMAL, which can lose the last commits at a power cut.
  connection.pragma('synchronous = FULL')
  connection.pragma('foreign_keys = ON')
  const query = new Kysely<Tables>({
    dialect: new ImmediateSqliteDialect({ database: new SqliteStatements(connection) }),
  })
  const commits = new GroupCommit(query)
  return {
    engine: 'sqlite',
    query,
    transaction: (act) => commits.run(act),
    write: (statement) => commits.run(statement),
    now: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
    transactionId: sql<number>`(select coalesce(max(tx), 0) + 1 from job_events)`,
    finishedBelow: sql<number>`${Number.MAX_SAFE_INTEGER}`,
    wakeups: new LocalWakeups(),
    close: () => query.destroy(),
  }
}

function openPostgres(url: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: POSTGRES_CONNECTIONS,
    connectionTimeoutMillis: POSTGRES_CONNECT_MS,
    types: {
      // Moments and counts fit a double exactly; the driver's default would be text.
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8_OID
          ? Number
          : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
    },
  })
  // A connection that breaks is replaced by the pool, and fails the statement that it was at. Without a listener it would
  // end the process: idle in the pool, or between two statements of a transaction.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const query = new Kysely<Tables>({ dialect: new ReportingPostgresDialect({ pool }) })
  const wakeups = new PostgresWakeups(url, (channel, topics) =>
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

async function bringUpToDate(query: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db: query, provider: { getMigrations: async () => MIGRATIONS } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw new Error('the database could not be brought up to date', { cause: error })
}
