import type { CachedImage, ImageCache } from '../conversion/reuse/image-cache.ts'
import type { Database } from '../db/database.ts'
import type { Digest } from '../oci/digest.ts'
import { evictLeastRecentlyUsed, markUsed, removeMissing } from './cache-tables.ts'

/**
 * Stores the results of conversions in the database, up to a number of them. The least recently used ones are
 * evicted.
 */
export class ConvertedImages implements ImageCache {
  readonly #database: Database
  readonly #limit: number

  /** @param limit the maximum number of images */
  constructor(database: Database, limit: number) {
    this.#database = database
    this.#limit = limit
  }

  async find(key: Digest): Promise<CachedImage | undefined> {
    const row = await this.#database.query
      .selectFrom('converted_images')
      .select(['report', 'digest', 'size', 'host', 'repository'])
      .where('exact_key', '=', key)
      .executeTakeFirst()
    if (!row) return undefined
    await markUsed(this.#database, 'converted_images', key)
    return { ...row, report: JSON.parse(row.report), digest: row.digest as Digest }
  }

  async put(key: Digest, { report, ...location }: CachedImage): Promise<void> {
    const { now } = this.#database
    const values = {
      report: JSON.stringify(report),
      ...location,
      used_at: now,
      checked_at: now,
    }
    await this.#database.transaction(async (transaction) => {
      await transaction
        .insertInto('converted_images')
        .values({ exact_key: key, ...values })
        .onConflict((conflict) => conflict.column('exact_key').doUpdateSet(values))
        .execute()
      await evictLeastRecentlyUsed(transaction, 'converted_images', this.#limit)
    })
  }

  remove(key: Digest): Promise<void> {
    return removeMissing(this.#database, 'converted_images', key)
  }
}
