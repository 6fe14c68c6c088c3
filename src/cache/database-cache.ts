import type { CacheUse, ConversionCache } from '../conversion/reuse/conversion-cache.ts'
import type { Database } from '../db/database.ts'
import type { ProjectScope, Scoped } from '../db/project-scope.ts'
import { ConvertedImages } from './converted-images.ts'
import { ConvertedLayers } from './converted-layers.ts'
import { addUses } from './use-counts.ts'

export type CacheLimits = { readonly layers: number; readonly images: number }

/** Creates the cache of conversions, or returns undefined if the limits allow no layers. */
export function createDatabaseCache(database: Database, limits: CacheLimits): DatabaseCache | undefined {
  return limits.layers === 0 ? undefined : new DatabaseCache(database, limits)
}

/** The cache of conversions in the database. Each project has its own. */
export class DatabaseCache implements Scoped<ConversionCache> {
  readonly #database: Database
  readonly #limits: CacheLimits

  /** @param limits the maximum number of entries of each kind, of all projects together */
  constructor(database: Database, limits: CacheLimits) {
    this.#database = database
    this.#limits = limits
  }

  /** Returns the cache of the project of a job. */
  in({ project }: ProjectScope): ConversionCache {
    const database = this.#database
    return {
      layers: new ConvertedLayers(database, this.#limits.layers, project),
      images: new ConvertedImages(database, this.#limits.images, project),
      countUses: (uses: readonly CacheUse[]) =>
        database.write((query) => addUses(database, query, project, uses)),
    }
  }
}
