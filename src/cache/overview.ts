import type { Database } from '../db/open.ts'
import { CACHE_TABLES, type CacheTable } from './entries.ts'
import { type CountedUse, usesOf } from './uses.ts'

/** What is remembered of one kind. `bytes`: of the layers' blobs, of the images' manifests. Moments are ms since 1970. */
export type Remembered = {
  readonly entries: number
  readonly bytes: number
  /** When the entry was used that is forgotten first. */
  readonly oldestUse: number | undefined
  /** When the entry was compared with its registry that is compared next. */
  readonly oldestCheck: number | undefined
}

export type CacheOverview = {
  readonly layers: Remembered
  readonly images: Remembered
  readonly uses: readonly CountedUse[]
}

/** Which entries; all of them when nothing is said. */
export type PurgeFilter = {
  readonly host?: string | undefined
  readonly repository?: string | undefined
  /** Of a converted layer, manifest or index. */
  readonly digest?: string | undefined
}

export type EntryCounts = { readonly layers: number; readonly images: number }

/** The cache as those see it who run the broker. */
export class CacheOverviews {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /** @param days whose uses are counted, today among them */
  async get(days: number): Promise<CacheOverview> {
    const [layers, images, uses] = await Promise.all([
      this.#remembered('converted_layers'),
      this.#remembered('converted_images'),
      usesOf(this.#db, days),
    ])
    return { layers, images, uses }
  }

  async #remembered(table: CacheTable): Promise<Remembered> {
    const row = await this.#db.query
      .selectFrom(table)
      .select(({ fn }) => [
        fn.countAll<number>().as('entries'),
        fn.sum<number | string | null>('size').as('bytes'),
        fn.min<number | null>('used_at').as('used'),
        fn.min<number | null>('checked_at').as('checked'),
      ])
      .executeTakeFirstOrThrow()
    return {
      entries: Number(row.entries),
      bytes: Number(row.bytes ?? 0),
      oldestUse: row.used ?? undefined,
      oldestCheck: row.checked ?? undefined,
    }
  }

  /** Forgets entries. What they name stays in the registry, and is made again when it is asked for. */
  purge({ host, repository, digest }: PurgeFilter): Promise<EntryCounts> {
    return this.#each(async (table) => {
      let entries = this.#db.query.deleteFrom(table)
      if (host !== undefined) entries = entries.where('host', '=', host)
      if (repository !== undefined) entries = entries.where('repository', '=', repository)
      if (digest !== undefined) entries = entries.where('digest', '=', digest)
      return (await entries.executeTakeFirst()).numDeletedRows
    })
  }

  /** Makes workers compare all entries with their registries now. */
  checkAll(): Promise<EntryCounts> {
    return this.#each(
      async (table) =>
        (await this.#db.query.updateTable(table).set({ checked_at: 0 }).executeTakeFirst()).numUpdatedRows,
    )
  }

  async #each(act: (table: CacheTable) => Promise<bigint>): Promise<EntryCounts> {
    const [layers, images] = await Promise.all(CACHE_TABLES.map(act))
    return { layers: Number(layers), images: Number(images) }
  }
}
