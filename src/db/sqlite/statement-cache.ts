import type Sqlite from 'better-sqlite3'
import type { CompiledQuery, QueryResult } from 'kysely'
import { LRUCache } from 'lru-cache'

/** More than the broker's fixed statements. Those with lists of varying length displace each other. */
const MAX_STATEMENTS = 500

/**
 * Executes statements and caches the prepared ones: preparing a statement takes longer than executing most of
 * them.
 */
export class StatementCache {
  readonly #connection: Sqlite.Database
  readonly #prepared = new LRUCache<string, Sqlite.Statement>({ max: MAX_STATEMENTS })

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
    const cached = this.#prepared.get(text)
    if (cached !== undefined) return cached
    const statement = this.#connection.prepare(text)
    this.#prepared.set(text, statement)
    return statement
  }

  clear(): void {
    this.#prepared.clear()
  }
}
