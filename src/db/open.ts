import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Kysely, PostgresDialect, type RawBuilder, SqliteDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import pg from 'pg'
import { MIGRATIONS } from './migrations.ts'
import type { Tables } from './tables.ts'

/** How long a statement waits for another process's write to end. */
const SQLITE_BUSY_MS = 10_000
const POSTGRES_CONNECTIONS = 10
const INT8_OID = 20

/** An open database: SQLite or PostgreSQL behind one query builder. */
export type Database = {
  readonly engine: 'sqlite' | 'postgres'
  readonly query: Kysely<Tables>
  /** The database's clock, in milliseconds, as an SQL expression. */
  readonly now: RawBuilder<number>
  close(): Promise<void>
}

/**
 * Opens `sqlite:PATH` or `postgres://…` and brings its tables up to date.
 * @throws when the database cannot be reached or a migration fails
 */
export async function openDatabase(url: string): Promise<Database> {
  const database = url.startsWith('sqlite:') ? openSqlite(url.slice('sqlite:'.length)) : openPostgres(url)
  try {
    await migrate(database.query)
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
  const query = new Kysely<Tables>({ dialect: new SqliteDialect({ database: connection }) })
  const now = sql<number>`cast(unixepoch('subsec') * 1000 as integer)`
  return { engine: 'sqlite', query, now, close: () => query.destroy() }
}

function openPostgres(url: string): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: POSTGRES_CONNECTIONS,
    types: {
      // Moments and counts fit a double exactly; the driver's default would be text.
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8_OID
          ? Number
          : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
    },
  })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {})
  const query = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const now = sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
  return { engine: 'postgres', query, now, close: () => query.destroy() }
}

async function migrate(query: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db: query, provider: { getMigrations: async () => MIGRATIONS } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw new Error('the database could not be brought up to date', { cause: error })
}
