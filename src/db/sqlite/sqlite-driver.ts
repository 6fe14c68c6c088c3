import type Sqlite from 'better-sqlite3'
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { sleep } from '../../concurrency/abort.ts'
import { backoffMs } from '../../concurrency/backoff.ts'
import { Semaphore } from '../../concurrency/semaphore.ts'
import type { ConnectionUsage } from '../database.ts'
import { type DatabaseObserver, observeStatement } from '../database-observer.ts'
import { isSqliteBusy, toDatabaseError } from '../errors.ts'
import { withStatementSpan } from '../statement-span.ts'
import { StatementCache } from './statement-cache.ts'

/** Waits between retries while another process writes. They start short, as most writes are. */
const RETRY = { initialMs: 1, maxMs: 50, minShare: 0.5 }

/**
 * Waits for the writes of other processes without blocking the event loop, as the library itself would, and
 * without occupying the connection. A transaction acquires the write lock when it starts: one that started as
 * a reader cannot become a writer once another process has written (SQLite 3, "Transactions").
 */
export class SqliteDriver implements Driver {
  readonly #database: Sqlite.Database
  readonly #statements: StatementCache
  readonly #busyMs: number
  /**
   * Exclusive use of the one connection: held by each transaction, and by each statement outside of
   * transactions.
   */
  readonly #exclusive = new Semaphore(1)
  /** Is told about statements. */
  observer: DatabaseObserver | undefined

  /** @param busyMs how long a statement waits for another process's write to finish */
  constructor(database: Sqlite.Database, busyMs: number) {
    this.#database = database
    this.#statements = new StatementCache(database)
    this.#busyMs = busyMs
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    const execute = (query: CompiledQuery) => this.#statements.execute(query)
    return new SqliteConnection((query, connection) =>
      withStatementSpan('sqlite', query.sql, () =>
        observeStatement(this.observer, () =>
          connection.hasTransaction
            ? this.#inTransaction(connection, () => execute(query))
            : this.#whenFree(connection, () => execute(query)),
        ),
      ),
    )
  }

  async beginTransaction(connection: SqliteConnection): Promise<void> {
    const begin = () => {
      this.#database.exec('begin immediate')
      connection.hasTransaction = true
    }
    await observeStatement(this.observer, () => this.#whenFree(connection, begin))
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    const commit = () => this.#database.exec('commit')
    await observeStatement(this.observer, () => this.#inTransaction(connection, commit))
    this.#endTransaction(connection)
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    if (this.#database.inTransaction) {
      await this.#inTransaction(connection, () => this.#database.exec('rollback'))
    }
    this.#endTransaction(connection)
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    // Both the commit and the rollback failed: the next user of the connection must not inherit the
    // transaction.
    if (connection.hasTransaction && this.#database.inTransaction) this.#database.exec('rollback')
    this.#endTransaction(connection)
  }

  connections(): ConnectionUsage {
    const { freePermits, waiting } = this.#exclusive
    return { limit: 1, busy: 1 - freePermits, waiting }
  }

  async destroy(): Promise<void> {
    this.#statements.clear()
    this.#database.close()
  }

  #endTransaction(connection: SqliteConnection): void {
    if (!connection.hasTransaction) return
    connection.hasTransaction = false
    this.#exclusive.release()
  }

  /**
   * Runs a statement of a transaction. On some errors, such as a full disk, SQLite itself rolls back the
   * transaction. Later statements would then be written outside of it, so each of them fails with the error
   * that ended it.
   */
  async #inTransaction<Result>(connection: SqliteConnection, run: () => Result): Promise<Result> {
    if (connection.rolledBack) throw connection.rolledBack.error
    try {
      return run()
    } catch (cause) {
      const error = toDatabaseError(cause)
      if (!this.#database.inTransaction) connection.rolledBack = { error }
      throw error
    }
  }

  /** Runs a statement when no transaction holds the connection. Retries while another process writes. */
  async #whenFree<Result>(connection: SqliteConnection, run: () => Result): Promise<Result> {
    const deadline = performance.now() + this.#busyMs
    for (let failures = 1; ; failures++) {
      await this.#exclusive.acquire()
      try {
        return run()
      } catch (error) {
        if (!isSqliteBusy(error) || performance.now() >= deadline) throw toDatabaseError(error)
        this.observer?.onBusy()
      } finally {
        if (!connection.hasTransaction) this.#exclusive.release()
      }
      await sleep(backoffMs(RETRY, failures, Math.random()))
    }
  }
}

/** One user's handle on the shared connection. */
class SqliteConnection implements DatabaseConnection {
  readonly #execute: (query: CompiledQuery, connection: SqliteConnection) => Promise<QueryResult<unknown>>
  hasTransaction = false
  /** The error at which SQLite rolled back this handle's transaction. */
  rolledBack: { readonly error: unknown } | undefined

  constructor(
    execute: (query: CompiledQuery, connection: SqliteConnection) => Promise<QueryResult<unknown>>,
  ) {
    this.#execute = execute
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#execute(query, this) as Promise<QueryResult<Row>>
  }

  // biome-ignore lint/correctness/useYield: rows are not streamed
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error('the SQLite driver does not stream rows')
  }
}
