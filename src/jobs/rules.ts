import type { Selectable } from 'kysely'
import { newId } from '../db/new-id.ts'
import type { Database } from '../db/open.ts'
import type { RulesTable } from '../db/tables.ts'

/** A stored rule; its document was checked when it was written. Moments are milliseconds since 1970. */
export type StoredRule = { readonly id: string; readonly document: unknown; readonly updatedAt: number }

/** The rules in the database. */
export class RuleStore {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  async create(document: unknown): Promise<StoredRule> {
    const row = await this.#db.query
      .insertInto('rules')
      .values({ id: newId(), document: JSON.stringify(document), updated_at: this.#db.now })
      .returningAll()
      .executeTakeFirstOrThrow()
    return toRule(row)
  }

  /** Every rule, the oldest first: they are few. */
  async all(): Promise<StoredRule[]> {
    const rows = await this.#db.query.selectFrom('rules').selectAll().orderBy('id').execute()
    return rows.map(toRule)
  }

  async get(id: string): Promise<StoredRule | undefined> {
    const row = await this.#db.query.selectFrom('rules').selectAll().where('id', '=', id).executeTakeFirst()
    return row && toRule(row)
  }

  async replace(id: string, document: unknown): Promise<StoredRule | undefined> {
    const row = await this.#db.query
      .updateTable('rules')
      .set({ document: JSON.stringify(document), updated_at: this.#db.now })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst()
    return row && toRule(row)
  }

  async remove(id: string): Promise<boolean> {
    const result = await this.#db.query.deleteFrom('rules').where('id', '=', id).executeTakeFirst()
    return result.numDeletedRows === 1n
  }
}

function toRule({ id, document, updated_at }: Selectable<RulesTable>): StoredRule {
  return { id, document: JSON.parse(document), updatedAt: updated_at }
}
