import type Sqlite from 'better-sqlite3'
import type { CompiledQuery, QueryResult } from 'kysely'

/** More than the broker has; those with lists of any length come and go. */
const KEPT = 500

/** Executes statements, and keeps those that it prepared: to prepare one takes longer than most take to run. */
export class SqliteStatements {
  readonly #connection: Sqlite.Database
  /** By their text, the one that was used last at the end. */
  readonly #kept = new Map<string, Sqlite.Statement>()

  constructor(connection: Sqlite.Database) {
    this.#connection = connection
  }

  execute({ sql, parameters }: CompiledQuery): QueryResult<unknown> {
    const statement = this.#prepare(sql)
    if (statement.reader) return { rows: statement.all(parameters) }
    const { changes, lastInsertRowid } = statement.run(parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  #prepare(text: string): Sqlite.Statement {
    const kept = this.#kept.get(text)
    const statement = kept ?? this.#connection.prepare(text)
    this.#kept.delete(text)
    this.#kept.set(text, statement)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest)
    return statement
  }

  /** Lets go of all statements. */
  forget(): void {
    this.#kept.clear()
  }
}
