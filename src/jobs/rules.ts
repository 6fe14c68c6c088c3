import { type Selectable, sql, type Transaction } from 'kysely'
import { newId } from '../db/new-id.ts'
import type { Database } from '../db/open.ts'
import type { RulesTable, Tables } from '../db/tables.ts'

/** Raises how many rules there may be. */
const SETTING = 'RECORD_BROKER_MAX_RULES'
/** Any number serves; it is the same in all processes. */
const CREATE_LOCK = 5_381_002

/** A rule as it is since a moment, in milliseconds since 1970. No two versions of a rule have the same one. */
export type RuleVersion = { readonly id: string; readonly updatedAt: number }

/** A stored rule; its document was checked when it was written. */
export type StoredRule = RuleVersion & {
  readonly document: unknown
  /** Characters of the document. */
  readonly size: number
}

/** There are as many rules as there may be. */
export class TooManyRules extends Error {
  override readonly name = 'TooManyRules'
  readonly code = 'LIMIT_EXCEEDED'
  constructor(most: number) {
    super(`${SETTING} allows ${most} rules, and there are as many; delete one, or allow more`)
  }
}

/** The rules in the database. */
export class RuleStore {
  readonly #db: Database
  readonly #maxRules: number

  /** @param options.maxRules rules that there may be */
  constructor(database: Database, { maxRules = Number.POSITIVE_INFINITY } = {}) {
    this.#db = database
    this.#maxRules = maxRules
  }

  /** @throws TooManyRules */
  async create(document: unknown): Promise<StoredRule> {
    const row = await this.#db.transaction(async (transaction) => {
      await this.#checkRoom(transaction)
      return transaction
        .insertInto('rules')
        .values({ id: newId(), document: JSON.stringify(document), updated_at: this.#db.now })
        .returningAll()
        .executeTakeFirstOrThrow()
    })
    return toRule(row)
  }

  async #checkRoom(transaction: Transaction<Tables>): Promise<void> {
    if (this.#maxRules === Number.POSITIVE_INFINITY) return
    // What is counted stays true until the rule is written. SQLite has one writer at a time anyway.
    if (this.#db.engine === 'postgres') {
      await sql`select pg_advisory_xact_lock(${sql.lit(CREATE_LOCK)})`.execute(transaction)
    }
    const { rules } = await transaction
      .selectFrom('rules')
      .select((select) => select.fn.countAll<number>().as('rules'))
      .executeTakeFirstOrThrow()
    if (Number(rules) >= this.#maxRules) throw new TooManyRules(this.#maxRules)
  }

  /** Which rules there are, the oldest first. Documents can be long, and are read one by one. */
  async versions(): Promise<RuleVersion[]> {
    const rows = await this.#db.query.selectFrom('rules').select(['id', 'updated_at']).orderBy('id').execute()
    return rows.map(({ id, updated_at }) => ({ id, updatedAt: updated_at }))
  }

  async get(id: string): Promise<StoredRule | undefined> {
    const row = await this.#db.query.selectFrom('rules').selectAll().where('id', '=', id).executeTakeFirst()
    return row && toRule(row)
  }

  async replace(id: string, document: unknown): Promise<StoredRule | undefined> {
    const { now } = this.#db
    const row = await this.#db.query
      .updateTable('rules')
      .set({
        document: JSON.stringify(document),
        // What is kept of a version is found by its moment: another one within the same millisecond has the next.
        updated_at: sql`case when updated_at < ${now} then ${now} else updated_at + 1 end`,
      })
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
  return { id, document: JSON.parse(document), size: document.length, updatedAt: updated_at }
}
