import type { CacheUse, ConversionCache } from '../conversion/reuse/conversion-cache.ts'
import type { Database } from '../db/open.ts'
import { ConvertedImages } from './converted-images.ts'
import { ConvertedLayers } from './converted-layers.ts'
import { addUses } from './uses.ts'

export type CacheLimits = { readonly layers: number; readonly images: number }

/** The cache of conversions in the database; undefined when no layers are to be remembered. */
export function databaseCache(database: Database, limits: CacheLimits): DatabaseCache | undefined {
  return limits.layers === 0 ? undefined : new DatabaseCache(database, limits)
}

/** The cache of conversions in the database. */
export class DatabaseCache implements ConversionCache {
  readonly layers: ConvertedLayers
  readonly images: ConvertedImages
  readonly #database: Database

  /** @param limits how many are remembered of each */
  constructor(database: Database, limits: CacheLimits) {
    this.layers = new ConvertedLayers(database, limits.layers)
    this.images = new ConvertedImages(database, limits.images)
    this.#database = database
  }

  count(uses: readonly CacheUse[]): Promise<void> {
    return this.#database.write((query) => addUses(this.#database, query, uses))
  }
}
