import type Sqlite from 'better-sqlite3'
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { pause } from '../concurrency/abort.ts'
import { backoffMs } from '../concurrency/backoff.ts'
import { Semaphore } from '../concurrency/semaphore.ts'
import { asDatabaseError, isBusy } from './errors.ts'
import { SqliteStatements } from './sqlite-statements.ts'

/** Waits between tries while another process writes: short at first, as most writes are. */
const AGAIN = { firstMs: 1, longestMs: 50, least: 0.5 }

/**
 * SQLite that waits for the writes of other processes without standing in the way of anything else: the library itself
 * would block the event loop. Nothing holds the connection while it waits. A transaction takes the write lock at its
 * begin: one that began as a reader cannot become a writer once another process wrote (SQLite 3, "Transactions").
 */
export class SqliteDriver implements Driver {
  readonly #database: Sqlite.Database
  readonly #statements: SqliteStatements
  readonly #busyMs: number
  /** There is one connection: while a transaction has it, nobody else may use it. */
  readonly #turn = new Semaphore(1)

  /** @param busyMs how long a statement waits for another process's write to end */
  constructor(database: Sqlite.Database, busyMs: number) {
    this.#database = database
    this.#statements = new SqliteStatements(database)
    this.#busyMs = busyMs
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<SqliteConnection> {
    const execute = (query: CompiledQuery) => this.#statements.execute(query)
    return new SqliteConnection((query, connection) =>
      connection.hasTransaction
        ? this.#inTransaction(connection, () => execute(query))
        : this.#whenFree(connection, () => execute(query)),
    )
  }

  async beginTransaction(connection: SqliteConnection): Promise<void> {
    await this.#whenFree(connection, () => {
      this.#database.exec('begin immediate')
      connection.hasTransaction = true
    })
  }

  async commitTransaction(connection: SqliteConnection): Promise<void> {
    await this.#inTransaction(connection, () => this.#database.exec('commit'))
    this.#endTransaction(connection)
  }

  async rollbackTransaction(connection: SqliteConnection): Promise<void> {
    if (this.#database.inTransaction) {
      await this.#inTransaction(connection, () => this.#database.exec('rollback'))
    }
    this.#endTransaction(connection)
  }

  async releaseConnection(connection: SqliteConnection): Promise<void> {
    // A commit and a rollback failed: nothing of it may become part of what follows.
    if (connection.hasTransaction && this.#database.inTransaction) this.#database.exec('rollback')
    this.#endTransaction(connection)
  }

  async destroy(): Promise<void> {
    this.#statements.forget()
    this.#database.close()
  }

  #endTransaction(connection: SqliteConnection): void {
    if (!connection.hasTransaction) return
    connection.hasTransaction = false
    this.#turn.release()
  }

  /**
   * Acts within a transaction. SQLite rolls all of it back by itself when the disk is full, for one: what is asked for then
   * would be written by itself, or fail for want of a transaction, so that it is refused with the error that ended it.
   */
  async #inTransaction<Result>(connection: SqliteConnection, act: () => Result): Promise<Result> {
    if (connection.lost) throw connection.lost.error
    try {
      return act()
    } catch (cause) {
      const error = asDatabaseError(cause)
      if (!this.#database.inTransaction) connection.lost = { error }
      throw error
    }
  }

  /** Acts when no transaction has the connection, again and again while another process writes. */
  async #whenFree<Result>(connection: SqliteConnection, act: () => Result): Promise<Result> {
    const giveUpAt = performance.now() + this.#busyMs
    for (let failures = 1; ; failures++) {
      await this.#turn.acquire()
      try {
        return act()
      } catch (error) {
        if (!isBusy(error) || performance.now() >= giveUpAt) throw asDatabaseError(error)
      } finally {
        if (!connection.hasTransaction) this.#turn.release()
      }
      await pause(backoffMs(AGAIN, failures, Math.random()))
    }
  }
}

/** Whoever uses the one connection, with a transaction of its own or without. */
class SqliteConnection implements DatabaseConnection {
  readonly #execute: (query: CompiledQuery, connection: SqliteConnection) => Promise<QueryResult<unknown>>
  hasTransaction = false
  /** Why SQLite gave its transaction up. */
  lost: { readonly error: unknown } | undefined

  constructor(
    execute: (query: CompiledQuery, connection: SqliteConnection) => Promise<QueryResult<unknown>>,
  ) {
    this.#execute = execute
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#execute(query, this) as Promise<QueryResult<Row>>
  }

  // biome-ignore lint/correctness/useYield: nothing is read row by row here
  async *streamQuery(): AsyncGenerator<never> {
    throw new Error('rows are not streamed from SQLite')
  }
}
