import type { CacheUse, ConversionCache } from '../conversion/reuse/conversion-cache.ts'
import type { Database } from '../db/database.ts'
import { ConvertedImages } from './converted-images.ts'
import { ConvertedLayers } from './converted-layers.ts'
import { addUses } from './use-counts.ts'

export type CacheLimits = { readonly layers: number; readonly images: number }

/** Creates the cache of conversions, or returns undefined if the limits allow no layers. */
export function createDatabaseCache(database: Database, limits: CacheLimits): DatabaseCache | undefined {
  return limits.layers === 0 ? undefined : new DatabaseCache(database, limits)
}

/** The cache of conversions in the database. */
export class DatabaseCache implements ConversionCache {
  readonly layers: ConvertedLayers
  readonly images: ConvertedImages
  readonly #database: Database

  /** @param limits the maximum number of entries of each kind */
  constructor(database: Database, limits: CacheLimits) {
    this.layers = new ConvertedLayers(database, limits.layers)
    this.images = new ConvertedImages(database, limits.images)
    this.#database = database
  }

  countUses(uses: readonly CacheUse[]): Promise<void> {
    return this.#database.write((query) => addUses(this.#database, query, uses))
  }
}
