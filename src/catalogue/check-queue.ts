import { sql } from 'kysely'
import type { Database } from '../db/database.ts'
import { msFromNow } from '../db/sql-time.ts'
import type { HostNames } from '../oci/host-names.ts'
import { parseReference, type Reference } from '../oci/reference.ts'
import { catalogueName } from './image-writer.ts'

/** Checks that may wait. Further ones are dropped, because the scan finds what changed. */
const MAX_CHECKS = 10_000
const MAX_TRIES = 5
/** The pause before the second try. Each further pause is longer by the same time. */
const RETRY_MS = 15_000
const MAX_REFERENCES_PER_INSERT = 500

/** A reference that is to be compared with its registry. */
export type Check = { readonly name: string; readonly reference: Reference; readonly dueAt: number }

/** References that changed in a registry, or may have: hooks and pushes add them, the scan compares them. */
export class CheckQueue {
  readonly #db: Database
  readonly #names: HostNames

  constructor(database: Database, names: HostNames) {
    this.#db = database
    this.#names = names
  }

  /** Adds references with a tag or a digest. */
  async add(references: readonly Reference[]): Promise<void> {
    const names = [...new Set(references.map((reference) => catalogueName(this.#names, reference)))].sort()
    if (names.length === 0 || (await this.isFull())) return
    for (let start = 0; start < names.length; start += MAX_REFERENCES_PER_INSERT) {
      const rows = names
        .slice(start, start + MAX_REFERENCES_PER_INSERT)
        .map((reference) => ({ reference, due_at: this.#db.now, tries: 0 }))
      await this.#db.write((query) =>
        query
          .insertInto('catalogue_checks')
          .values(rows)
          // A new change of a reference whose check has failed is tried at once. The time changes in any case:
          // see `finish`.
          .onConflict((conflict) =>
            conflict.column('reference').doUpdateSet({
              due_at: sql`excluded.due_at + case when excluded.due_at = catalogue_checks.due_at then 1 else 0 end`,
              tries: 0,
            }),
          )
          .execute(),
      )
    }
  }

  /** Returns checks that are due, the longest due first. */
  async listDue(limit: number): Promise<Check[]> {
    const rows = await this.#db.query
      .selectFrom('catalogue_checks')
      .select(['reference', 'due_at'])
      .where('due_at', '<=', this.#db.now)
      .orderBy('due_at')
      .limit(limit)
      .execute()
    return rows.map(({ reference: name, due_at }) => ({
      name,
      reference: parseReference(name),
      dueAt: due_at,
    }))
  }

  /** Removes a check, unless the reference has changed again since it was listed. */
  async finish({ name, dueAt }: Check): Promise<void> {
    await this.#db.write((query) =>
      query
        .deleteFrom('catalogue_checks')
        .where('reference', '=', name)
        .where('due_at', '=', dueAt)
        .execute(),
    )
  }

  /** Tries a check again later, or drops it after its last try. */
  async retry({ name }: Check): Promise<void> {
    await this.#db.transaction(async (transaction) => {
      await transaction
        .deleteFrom('catalogue_checks')
        .where('reference', '=', name)
        .where('tries', '>=', MAX_TRIES - 1)
        .execute()
      await transaction
        .updateTable('catalogue_checks')
        .set({
          due_at: sql<number>`${msFromNow(this.#db, RETRY_MS)} + ${sql.lit(RETRY_MS)} * tries`,
          tries: sql`tries + 1`,
        })
        .where('reference', '=', name)
        .execute()
    })
  }

  /** Whether further references would be dropped. */
  async isFull(): Promise<boolean> {
    const row = await this.#db.query
      .selectFrom('catalogue_checks')
      .select('reference')
      .offset(MAX_CHECKS)
      .limit(1)
      .executeTakeFirst()
    return row !== undefined
  }
}
