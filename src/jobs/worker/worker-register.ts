import { type SqlBool, sql } from 'kysely'
import { msAgo } from '../../db/moments.ts'
import type { Database } from '../../db/open.ts'

export const HEARTBEAT_INTERVAL_MS = 5_000
/** A worker that did not show for so long is taken for gone. */
const GONE_AFTER_MS = 20_000
/** Rows of workers that are long gone are removed. */
const FORGOTTEN_AFTER_MS = 3_600_000

/** The worker processes that run, whichever machine they are on. */
export class WorkerRegister {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /** Shows that a worker runs. */
  async beat(owner: string, concurrency: number): Promise<void> {
    const seen_at = this.#db.now
    await this.#db.query
      .insertInto('workers')
      .values({ owner, concurrency, seen_at })
      .onConflict((conflict) => conflict.column('owner').doUpdateSet({ concurrency, seen_at }))
      .execute()
    await this.#db.query
      .deleteFrom('workers')
      .where('seen_at', '<', msAgo(this.#db, FORGOTTEN_AFTER_MS))
      .execute()
  }

  async leave(owner: string): Promise<void> {
    await this.#db.query.deleteFrom('workers').where('owner', '=', owner).execute()
  }

  /**
   * Strikes workers off that are known to be dead.
   * @param owners how their names begin
   */
  async died(owners: string): Promise<void> {
    await this.#db.query
      .deleteFrom('workers')
      .where(sql<SqlBool>`substr(owner, 1, ${sql.lit(owners.length)}) = ${owners}`)
      .execute()
  }

  /** How many workers run now. */
  async running(): Promise<number> {
    const { workers } = await this.#db.query
      .selectFrom('workers')
      .select((select) => select.fn.countAll<number>().as('workers'))
      .where('seen_at', '>', msAgo(this.#db, GONE_AFTER_MS))
      .executeTakeFirstOrThrow()
    return Number(workers)
  }
}
