import { type SqlBool, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { msAgo } from '../../db/sql-time.ts'

export const HEARTBEAT_INTERVAL_MS = 5_000
/** A worker without a heartbeat for this long does not count as running. */
const HEARTBEAT_TIMEOUT_MS = 20_000
/** The row of a worker without a heartbeat for this long is deleted. */
const RETENTION_MS = 3_600_000

export type WorkerStatus = {
  /** The number of jobs that it runs concurrently. */
  readonly concurrency: number
  /** How many jobs with a registry may run at once, by host; `*` is every other host. */
  readonly registryLimits: ReadonlyMap<string, number>
  /** Whether it starts no job because its disk is full. */
  readonly isDiskFull: boolean
}

/** The running worker processes on all machines. */
export class WorkerDirectory {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /** Records that a worker is running, and deletes workers that have been gone for an hour. */
  async heartbeat(
    owner: string,
    {
      concurrency,
      registryLimits = new Map(),
      isDiskFull = false,
    }: Partial<WorkerStatus> & Pick<WorkerStatus, 'concurrency'>,
  ): Promise<void> {
    const status = {
      concurrency,
      seen_at: this.#db.now,
      registry_limits: registryLimits.size === 0 ? null : JSON.stringify(Object.fromEntries(registryLimits)),
      disk_full: isDiskFull ? 1 : 0,
    }
    await this.#db.query
      .insertInto('workers')
      .values({ owner, ...status })
      .onConflict((conflict) => conflict.column('owner').doUpdateSet(status))
      .execute()
    await this.#db.query.deleteFrom('workers').where('seen_at', '<', msAgo(this.#db, RETENTION_MS)).execute()
  }

  async remove(owner: string): Promise<void> {
    await this.#db.query.deleteFrom('workers').where('owner', '=', owner).execute()
  }

  /**
   * Removes workers that are known to be dead.
   * @param ownerPrefix the common start of their names
   */
  async removeByPrefix(ownerPrefix: string): Promise<void> {
    await this.#db.query
      .deleteFrom('workers')
      .where(sql<SqlBool>`substr(owner, 1, ${sql.lit(ownerPrefix.length)}) = ${ownerPrefix}`)
      .execute()
  }

  /** Counts the running workers. */
  async countRunning(): Promise<number> {
    const { workers } = await this.#db.query
      .selectFrom('workers')
      .select((select) => select.fn.countAll<number>().as('workers'))
      .where('seen_at', '>', msAgo(this.#db, HEARTBEAT_TIMEOUT_MS))
      .executeTakeFirstOrThrow()
    return Number(workers)
  }

  /** Lists the running workers. */
  async listRunning(): Promise<(WorkerStatus & { readonly owner: string })[]> {
    const rows = await this.#db.query
      .selectFrom('workers')
      .selectAll()
      .where('seen_at', '>', msAgo(this.#db, HEARTBEAT_TIMEOUT_MS))
      .execute()
    return rows.map(({ owner, concurrency, registry_limits, disk_full }) => ({
      owner,
      concurrency,
      registryLimits: new Map(Object.entries(JSON.parse(registry_limits ?? '{}') as Record<string, number>)),
      isDiskFull: disk_full === 1,
    }))
  }
}
