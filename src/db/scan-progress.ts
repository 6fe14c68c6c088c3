import type { Kysely } from 'kysely'
import type { Database } from './database.ts'
import { msFromNow } from './sql-time.ts'
import type { Tables } from './tables.ts'

/** How long a scan may be silent before another process takes it over, by the database's clock. */
const LEASE_MS = 30_000

/** Another process has taken the scan over, because this one was silent for too long. */
export class ScanTakenOverError extends Error {
  override readonly name = 'ScanTakenOverError'
}

/** A position in the database that one process at a time advances. */
export class ScanProgress<State> {
  readonly #db: Database
  readonly #name: string
  readonly #owner: string

  /** @param owner names this process; after a restart it has another name */
  constructor(database: Database, name: string, owner: string) {
    this.#db = database
    this.#name = name
    this.#owner = owner
  }

  /** Takes the lease, unless another process has it. Returns the last saved state; `initial` if there is none. */
  async acquire(initial: State): Promise<State | undefined> {
    await this.#db.write((query) =>
      query
        .insertInto('scans')
        .values({ name: this.#name, state: JSON.stringify(initial), owner: null, lease_until: 0 })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    )
    const row = await this.#db.write((query) =>
      query
        .updateTable('scans')
        .set({ owner: this.#owner, lease_until: msFromNow(this.#db, LEASE_MS) })
        .where('name', '=', this.#name)
        .where(({ or, eb }) =>
          or([eb('owner', 'is', null), eb('owner', '=', this.#owner), eb('lease_until', '<=', this.#db.now)]),
        )
        .returning('state')
        .executeTakeFirst(),
    )
    return row && (JSON.parse(row.state) as State)
  }

  /** Saves the state, and renews the lease. @throws ScanTakenOverError */
  async save(state: State): Promise<void> {
    const row = await this.#db.write((query) =>
      query
        .updateTable('scans')
        .set({ state: JSON.stringify(state), lease_until: msFromNow(this.#db, LEASE_MS) })
        .where('name', '=', this.#name)
        .where('owner', '=', this.#owner)
        .returning('name')
        .executeTakeFirst(),
    )
    if (!row) throw new ScanTakenOverError('another process continues the scan')
  }

  /** Lets another process continue at once. */
  async release(): Promise<void> {
    await this.#db.write((query) =>
      query
        .updateTable('scans')
        .set({ owner: null })
        .where('name', '=', this.#name)
        .where('owner', '=', this.#owner)
        .execute(),
    )
  }
}

/** Returns the state of a scan without taking it. */
export async function readScanState<State>({ query }: Pick<Database, 'query'>, name: string) {
  const row = await query.selectFrom('scans').select('state').where('name', '=', name).executeTakeFirst()
  return row && (JSON.parse(row.state) as State)
}

/** Writes the state of a scan that needs no lease, because repeating a part of it does no harm. */
export async function writeScanState(query: Kysely<Tables>, name: string, state: unknown): Promise<void> {
  const text = JSON.stringify(state)
  await query
    .insertInto('scans')
    .values({ name, state: text, owner: null, lease_until: 0 })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ state: text }))
    .execute()
}
