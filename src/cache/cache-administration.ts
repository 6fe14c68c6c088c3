import type { Database } from '../db/database.ts'
import type { ProjectScope, Scoped } from '../db/project-scope.ts'
import { CACHE_TABLES, type CacheTable } from './cache-tables.ts'
import { type CountedUse, readUses } from './use-counts.ts'

/** Totals of the entries of one kind. Times are in ms since 1970. */
export type CacheTotals = {
  readonly entryCount: number
  /** The total size of the blobs of layers, or of the manifests of images. */
  readonly bytes: number
  /** The last use of the entry that is evicted next. */
  readonly oldestUsedAt: number | undefined
  /** The last check of the entry that is checked next. */
  readonly oldestCheckedAt: number | undefined
}

export type CacheOverview = {
  readonly layers: CacheTotals
  readonly images: CacheTotals
  readonly uses: readonly CountedUse[]
}

/** Selects entries. Without any field, it selects all of them. */
export type PurgeFilter = {
  /** The names of the registry. */
  readonly hosts?: readonly string[] | undefined
  readonly repository?: string | undefined
  /** The digest of a converted layer, manifest or index. */
  readonly digest?: string | undefined
}

export type EntryCounts = { readonly layerCount: number; readonly imageCount: number }

/** Inspects and purges the cache. */
export class CacheAdministration implements Scoped<ProjectCache> {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /** Returns the entries of a project, or of all for a scope that sees all. */
  in(scope: ProjectScope): ProjectCache {
    return new ProjectCache(this.#db, scope)
  }
}

/** The entries of the cache that a caller sees. */
export class ProjectCache {
  readonly #db: Database
  readonly #scope: ProjectScope

  constructor(database: Database, scope: ProjectScope) {
    this.#db = database
    this.#scope = scope
  }

  /** @param days the number of days whose uses are counted, including today */
  async readOverview(days: number): Promise<CacheOverview> {
    const [layers, images, uses] = await Promise.all([
      this.#readTotals('converted_layers'),
      this.#readTotals('converted_images'),
      readUses(this.#db, days, this.#scope),
    ])
    return { layers, images, uses }
  }

  async #readTotals(table: CacheTable): Promise<CacheTotals> {
    const row = await this.#db.query
      .selectFrom(table)
      .select(({ fn }) => [
        fn.countAll<number>().as('entries'),
        fn.sum<number | string | null>('size').as('bytes'),
        fn.min<number | null>('used_at').as('used'),
        fn.min<number | null>('checked_at').as('checked'),
      ])
      .where(this.#scope.condition())
      .executeTakeFirstOrThrow()
    return {
      entryCount: Number(row.entries),
      bytes: Number(row.bytes ?? 0),
      oldestUsedAt: row.used ?? undefined,
      oldestCheckedAt: row.checked ?? undefined,
    }
  }

  /** Deletes entries. Their content stays in the registry, and is converted again when a request needs it. */
  purge({ hosts, repository, digest }: PurgeFilter): Promise<EntryCounts> {
    return this.#forEachTable(async (table) => {
      let deletion = this.#db.query.deleteFrom(table).where(this.#scope.condition())
      if (hosts !== undefined) deletion = deletion.where('host', 'in', hosts)
      if (repository !== undefined) deletion = deletion.where('repository', '=', repository)
      if (digest !== undefined) deletion = deletion.where('digest', '=', digest)
      return (await deletion.executeTakeFirst()).numDeletedRows
    })
  }

  /** Makes all entries due, so that workers check them against their registries now. */
  requestCheck(): Promise<EntryCounts> {
    return this.#forEachTable(async (table) => {
      const update = this.#db.query.updateTable(table).set({ checked_at: 0 })
      return (await update.where(this.#scope.condition()).executeTakeFirst()).numUpdatedRows
    })
  }

  async #forEachTable(change: (table: CacheTable) => Promise<bigint>): Promise<EntryCounts> {
    const [layers, images] = await Promise.all(CACHE_TABLES.map(change))
    return { layerCount: Number(layers), imageCount: Number(images) }
  }
}
