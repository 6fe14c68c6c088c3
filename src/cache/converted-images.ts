import type { CachedImage, ImageCache } from '../conversion/reuse/image-cache.ts'
import type { Database } from '../db/database.ts'
import { projectKey } from '../db/project-scope.ts'
import type { Digest } from '../oci/digest.ts'
import { markUsed, removeMissing } from './cache-tables.ts'
import { evictFairly } from './evict.ts'

/**
 * Stores the results of the conversions of one project in the database: no other project uses them. Those of all
 * projects together are bounded.
 */
export class ConvertedImages implements ImageCache {
  readonly #database: Database
  readonly #limit: number
  readonly #project: string

  /** @param limit the maximum number of images of all projects */
  constructor(database: Database, limit: number, project: string) {
    this.#database = database
    this.#limit = limit
    this.#project = project
  }

  async find(digest: Digest): Promise<CachedImage | undefined> {
    const key = projectKey(this.#project, digest)
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
        .values({ exact_key: projectKey(this.#project, key), project: this.#project, ...values })
        .onConflict((conflict) => conflict.column('exact_key').doUpdateSet(values))
        .execute()
      await evictFairly(transaction, 'converted_images', this.#limit)
    })
  }

  remove(key: Digest): Promise<void> {
    return removeMissing(this.#database, 'converted_images', projectKey(this.#project, key))
  }
}
