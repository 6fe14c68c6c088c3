import type { Kysely, RawBuilder, Transaction } from 'kysely'
import type { Notifier } from './notifier.ts'
import type { Tables } from './tables.ts'

/** `waiting` is the number of statements and transactions that wait for a connection. */
export type ConnectionUsage = { readonly limit: number; readonly busy: number; readonly waiting: number }

/** An open database: SQLite or PostgreSQL behind one query builder. */
export type Database = {
  readonly engine: 'sqlite' | 'postgres'
  readonly query: Kysely<Tables>
  /**
   * Runs statements atomically and returns once they are on disk. On SQLite, transactions that start in the
   * same turn of the event loop share one commit, see `GroupCommit`.
   */
  transaction<Result>(run: (transaction: Transaction<Tables>) => Promise<Result>): Promise<Result>
  /**
   * Runs one statement that writes and returns once it is on disk. On SQLite it shares a commit as
   * transactions do.
   */
  write<Result>(run: (query: Kysely<Tables>) => Promise<Result>): Promise<Result>
  /** The database's clock, in milliseconds since 1970, as an SQL expression. */
  readonly now: RawBuilder<number>
  /**
   * Increases from transaction to transaction, as an SQL expression for `job_events.tx`: on SQLite in the
   * order of the commits, as there is one writer at a time; on PostgreSQL in the order of the first writes.
   */
  readonly transactionId: RawBuilder<number>
  /** Every transaction whose id is below this SQL expression has finished: events below it are complete. */
  readonly finishedBelow: RawBuilder<number>
  readonly notifier: Notifier
  /** The connections for statements. SQLite has one. */
  connections(): ConnectionUsage
  close(): Promise<void>
}
