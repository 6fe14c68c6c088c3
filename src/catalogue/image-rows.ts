import { countRows } from '../db/count-rows.ts'
import type { Database } from '../db/database.ts'
import type { CatalogueImagesTable } from '../db/tables.ts'
import type { Digest } from '../oci/digest.ts'
import type { HostNames } from '../oci/host-names.ts'
import { canonical, type Location, locationName, locationsOf } from './location.ts'

const FORGOTTEN_PER_BATCH = 500

export type KnownImage = {
  readonly id: string
  /** '' for none. */
  readonly tag: string
  readonly digest: Digest
  readonly kind: CatalogueImagesTable['kind']
  readonly isRead: boolean
}

/** Reads what the catalogue knows of one repository. */
export class ImageRows {
  readonly #db: Database
  readonly #names: HostNames

  constructor(database: Database, names: HostNames) {
    this.#db = database
    this.#names = names
  }

  /** Returns the known images with these tags. */
  async withTags(location: Location, tags: readonly string[]): Promise<Map<string, KnownImage>> {
    if (tags.length === 0) return new Map()
    const rows = await this.#select(location).where('tag', 'in', tags).execute()
    return new Map(rows.map((row) => [row.tag, toKnownImage(row)]))
  }

  /** Returns a page of the images of a repository, ordered by tag and id. */
  async page(
    location: Location,
    after: Pick<KnownImage, 'tag' | 'id'> | undefined,
    limit: number,
  ): Promise<KnownImage[]> {
    let query = this.#select(location)
    if (after) {
      const { tag, id } = after
      query = query.where(({ or, and, eb }) =>
        or([eb('tag', '>', tag), and([eb('tag', '=', tag), eb('id', '>', id)])]),
      )
    }
    return (await query.orderBy('tag').orderBy('id').limit(limit).execute()).map(toKnownImage)
  }

  /** Returns those of the digests that the repository is known to have. */
  async knownDigests(location: Location, digests: readonly Digest[]): Promise<ReadonlySet<string>> {
    if (digests.length === 0) return new Set()
    const rows = await this.#select(location).where('digest', 'in', digests).execute()
    return new Set(rows.map(({ digest }) => digest))
  }

  /** Returns the number of images, up to `limit`. */
  count(limit: number): Promise<number> {
    return countRows(this.#db, this.#db.query.selectFrom('catalogue_images').select('id').limit(limit))
  }

  /** Removes everything that is known of a registry, which is no longer compared. @throws the signal's reason */
  async forget(host: string, signal: AbortSignal): Promise<void> {
    const { from, below } = locationsOf(host)
    for (;;) {
      signal.throwIfAborted()
      const some = this.#db.query
        .selectFrom('catalogue_images')
        .select('id')
        .where('location', '>=', from)
        .where('location', '<', below)
        .limit(FORGOTTEN_PER_BATCH)
      const { numDeletedRows } = await this.#db.write((query) =>
        query.deleteFrom('catalogue_images').where('id', 'in', some).executeTakeFirstOrThrow(),
      )
      if (numDeletedRows === 0n) break
    }
    await this.#db.write((query) =>
      query
        .deleteFrom('catalogue_repositories')
        .where('location', '>=', from)
        .where('location', '<', below)
        .execute(),
    )
  }

  #select(location: Location) {
    return this.#db.query
      .selectFrom('catalogue_images')
      .select(['id', 'tag', 'digest', 'kind', 'is_read'])
      .where('location', '=', locationName(canonical(this.#names, location)))
  }
}

function toKnownImage(row: {
  id: string
  tag: string
  digest: string
  kind: KnownImage['kind']
  is_read: number
}): KnownImage {
  const { id, tag, digest, kind } = row
  return { id, tag, digest: digest as Digest, kind, isRead: row.is_read === 1 }
}
