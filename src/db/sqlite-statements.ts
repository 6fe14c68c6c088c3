import type Sqlite from 'better-sqlite3'
import type { SqliteDatabase, SqliteStatement } from 'kysely'

/** More than the broker has; those with lists of any length come and go. */
const KEPT = 500

/** A SQLite database that keeps the statements it prepared: to prepare one takes longer than most take to run. */
export class SqliteStatements implements SqliteDatabase {
  readonly #connection: Sqlite.Database
  /** By their text, the one that was used last at the end. */
  readonly #kept = new Map<string, SqliteStatement>()

  constructor(connection: Sqlite.Database) {
    this.#connection = connection
  }

  prepare(text: string): SqliteStatement {
    const kept = this.#kept.get(text)
    const statement = kept ?? this.#connection.prepare(text)
    this.#kept.delete(text)
    this.#kept.set(text, statement)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest)
    return statement
  }

  close(): void {
    this.#kept.clear()
    this.#connection.close()
  }
}
