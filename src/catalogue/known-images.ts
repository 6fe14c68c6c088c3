import type { Database } from '../db/database.ts'
import { type Digest, isDigest } from '../oci/digest.ts'
import type { HostNames } from '../oci/host-names.ts'
import { parseReference } from '../oci/reference.ts'
import type { ImageContent } from './content.ts'
import { catalogueName } from './image-writer.ts'
import { canonical, locationName } from './location.ts'
import type { VisibleRepositories } from './visible-repositories.ts'

/** Manifests of one image that record images are searched by: its own, and those of its platforms. */
const MAX_DIGESTS = 101

/** What is known of an image that a request names. */
export type KnownNames = {
  /** The digest of the image, and those of its platforms; none if it is not known what its tag refers to. */
  readonly digests: readonly Digest[]
  /** The reference with its tag. */
  readonly name?: string
  /** The repository; undefined for an image that is named only by its digest. */
  readonly location?: string
  readonly comparedAt?: number | undefined
}

/** When an image was last compared with its registry: by itself, or with its whole repository. */
export type ComparedRow = {
  readonly is_read: number
  readonly compared_at: number
  readonly all_compared_at: number | null
}

/** In milliseconds since 1970; undefined if it was not compared yet. */
export function comparedAtOf({ is_read, compared_at, all_compared_at }: ComparedRow): number | undefined {
  const withRepository = is_read === 1 ? (all_compared_at ?? 0) : 0
  return Math.max(compared_at, withRepository) || undefined
}

/** Finds images by their references and digests, in the repositories that a caller may read. */
export class KnownImages {
  readonly #db: Database
  readonly #names: HostNames
  readonly #visible: VisibleRepositories

  constructor(database: Database, names: HostNames, visible: VisibleRepositories) {
    this.#db = database
    this.#names = names
    this.#visible = visible
  }

  /** @param image a reference, whose digest counts more than its tag, or only a digest */
  async find(image: string): Promise<KnownNames> {
    if (isDigest(image)) return { digests: await this.#withChildren(image) }
    const reference = canonical(this.#names, parseReference(image))
    const location = locationName(reference)
    if (reference.digest !== undefined)
      return { digests: await this.#withChildren(reference.digest), location }
    // An image without a tag is any image of its repository.
    if (reference.tag === undefined) return { digests: [], location }
    const name = catalogueName(this.#names, reference)
    const row = await this.#db.query
      .selectFrom('catalogue_images')
      .leftJoin('catalogue_repositories', 'catalogue_repositories.location', 'catalogue_images.location')
      .select([
        'digest',
        'document',
        'is_read',
        'catalogue_images.compared_at',
        'catalogue_repositories.compared_at as all_compared_at',
      ])
      .where('reference', '=', name)
      .where(this.#visible.condition('catalogue_images.location'))
      .executeTakeFirst()
    if (!row) return { digests: [], name, location }
    const digests = digestsOf(row.digest as Digest, row.document)
    return { digests, name, location, comparedAt: comparedAtOf(row) }
  }

  async #withChildren(digest: Digest): Promise<Digest[]> {
    const row = await this.#db.query
      .selectFrom('catalogue_images')
      .select('document')
      .where('digest', '=', digest)
      .where(this.#visible.condition('location'))
      // One image may have any number of tags. Only a manifest that was read names all of its platforms.
      .orderBy('is_read', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row ? digestsOf(digest, row.document) : [digest]
  }
}

function digestsOf(digest: Digest, document: string): Digest[] {
  const { children = [] } = JSON.parse(document) as ImageContent
  return [digest, ...children.map((child) => child.digest)].slice(0, MAX_DIGESTS)
}
