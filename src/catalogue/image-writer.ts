import { sql, type Transaction } from 'kysely'
import type { Database } from '../db/database.ts'
import { lockUntilCommit } from '../db/postgres/lock-until-commit.ts'
import type { Tables } from '../db/tables.ts'
import { itemId } from '../db/terms/item-id.ts'
import { TermIndex } from '../db/terms/term-index.ts'
import type { Digest } from '../oci/digest.ts'
import type { HostNames } from '../oci/host-names.ts'
import { formatReference, parseReference, type Reference } from '../oci/reference.ts'
import { createdTime } from '../records/images/record-image-summary.ts'
import type { Labels } from '../records/stored-record.ts'
import { boundContent, type Content } from './content.ts'
import { formatDocument, type PublishedFrom, parseDocument } from './image-document.ts'
import { canonical, type Location, locationName } from './location.ts'
import { termsOf } from './terms.ts'

/** The advisory lock of writers in PostgreSQL; the number has no meaning. */
const WRITE_LOCK = 7_202_611
/** Stored records that are noted for one record image. */
const MAX_PUBLISHED_FROM = 20

/** An image as it was seen. */
export type SeenImage = {
  /** With a tag, or with the digest. */
  readonly reference: Reference
  /** What the tag refers to. */
  readonly digest: Digest
  readonly content: Content
  /** Whether the content comes from the manifest. Other content never replaces that of a manifest. */
  readonly isRead: boolean
  /** Whether the registry was just seen to have the image under this reference. */
  readonly isCompared: boolean
}

/** Writes what was seen in registries to the catalogue. */
export class ImageWriter {
  readonly #db: Database
  readonly #names: HostNames
  readonly #terms: TermIndex

  constructor(database: Database, names: HostNames) {
    this.#db = database
    this.#names = names
    this.#terms = new TermIndex(database, 'catalogue_image_terms')
  }

  /** Adds images or replaces what was known of their references. */
  async put(images: readonly SeenImage[]): Promise<void> {
    if (images.length === 0) return
    const named = images.map((image) => ({ ...image, name: catalogueName(this.#names, image.reference) }))
    await this.#locked(async (transaction) => {
      for (const image of named) await this.#putOne(transaction, image)
    })
  }

  /**
   * Replaces the terms of the images behind an id, in the order of their ids, with those of this release.
   * @returns the last of their ids; undefined if there are none
   */
  async indexTerms(after: string, limit: number): Promise<string | undefined> {
    return this.#locked(async (transaction) => {
      const rows = await transaction
        .selectFrom('catalogue_images')
        .select(['id', 'reference', 'digest', 'document'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      for (const { id, reference, digest, document } of rows) {
        const source = { reference: parseReference(reference), digest, ...parseDocument(document) }
        await this.#terms.put(transaction, id, termsOf(source, this.#names))
      }
      return rows.at(-1)?.id
    })
  }

  /** Rows have two unique keys. Processes that added the same rows in another order would block each other. */
  #locked<Result>(write: (transaction: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return this.#db.transaction(async (transaction) => {
      await lockUntilCommit(this.#db, transaction, WRITE_LOCK)
      return write(transaction)
    })
  }

  /**
   * Adds those images whose references are not known.
   * @returns the references that were added
   */
  async putUnknown(images: readonly SeenImage[]): Promise<Reference[]> {
    if (images.length === 0) return []
    const names = images.map(({ reference }) => catalogueName(this.#names, reference))
    const rows = await this.#db.query
      .selectFrom('catalogue_images')
      .select('reference')
      .where('reference', 'in', names)
      .execute()
    const known = new Set(rows.map(({ reference }) => reference))
    const unknown = images.filter((_, position) => !known.has(names[position] ?? ''))
    await this.put(unknown)
    return unknown.map(({ reference }) => reference)
  }

  /** Removes references that the registry no longer has. */
  async remove(references: readonly Reference[]): Promise<void> {
    if (references.length === 0) return
    const names = references.map((reference) => catalogueName(this.#names, reference))
    await this.#db.write((query) =>
      query.deleteFrom('catalogue_images').where('reference', 'in', names).execute(),
    )
  }

  /** Removes a manifest with all of its tags from a repository. */
  async removeManifest(location: Location, digest: Digest): Promise<void> {
    const name = locationName(canonical(this.#names, location))
    await this.#db.write((query) =>
      query
        .deleteFrom('catalogue_images')
        .where('location', '=', name)
        .where('digest', '=', digest)
        .execute(),
    )
  }

  async #putOne(
    transaction: Transaction<Tables>,
    image: SeenImage & { readonly name: string },
  ): Promise<void> {
    const { name, digest, isRead, isCompared } = image
    const reference = canonical(this.#names, image.reference)
    const existing = await transaction
      .selectFrom('catalogue_images')
      .select(['id', 'digest', 'is_read', 'seen_at', 'document'])
      .where('reference', '=', name)
      .executeTakeFirst()
    const isSame = existing?.digest === digest
    if (isSame && existing.is_read === 1 && !isRead) {
      if (isCompared) await this.#markCompared(transaction, name)
      return
    }
    const publishedFrom =
      image.content.kind === 'record'
        ? await this.#recordsOf(transaction, [name, nameOf(image.reference)], digest)
        : []
    const content = boundContent(image.content)
    const document = formatDocument(content, publishedFrom)
    if (isSame && existing.document === document && existing.is_read === Number(isRead)) {
      if (isCompared) await this.#markCompared(transaction, name)
      return
    }
    const seenAt = isSame ? existing.seen_at : Date.now()
    // Record images of an unknown time come last.
    const id = itemId(content.kind === 'record' ? createdTime(content) : seenAt, name)
    if (existing && existing.id !== id) {
      await transaction.deleteFrom('catalogue_images').where('id', '=', existing.id).execute()
    }
    const values = {
      reference: name,
      location: locationName(reference),
      tag: reference.tag ?? '',
      digest,
      kind: content.kind,
      is_read: Number(isRead),
      document,
      seen_at: seenAt,
    }
    const comparedAt = isCompared
      ? this.#db.now
      : isSame
        ? sql<number>`catalogue_images.compared_at`
        : sql<number>`0`
    await transaction
      .insertInto('catalogue_images')
      .values({ id, ...values, compared_at: isCompared ? this.#db.now : sql<number>`0` })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...values, compared_at: comparedAt }))
      .execute()
    const source = { reference, digest, content, publishedFrom }
    await this.#terms.put(transaction, id, termsOf(source, this.#names))
  }

  async #markCompared(transaction: Transaction<Tables>, name: string): Promise<void> {
    await transaction
      .updateTable('catalogue_images')
      .set({ compared_at: this.#db.now })
      .where('reference', '=', name)
      .execute()
  }

  /** The stored records that a record image was published from. Each project has one of its own. */
  async #recordsOf(
    transaction: Transaction<Tables>,
    names: readonly string[],
    digest: Digest,
  ): Promise<PublishedFrom[]> {
    const records = await transaction
      .selectFrom('publications')
      .innerJoin('records', 'records.id', 'publications.record_id')
      .select(['records.id', 'records.project', 'records.labels'])
      .where('publications.reference', 'in', names)
      .where('publications.digest', '=', digest)
      .orderBy('records.id')
      .limit(MAX_PUBLISHED_FROM)
      .execute()
    return records.map(({ id, project, labels }) => ({
      project,
      recordId: id,
      labels: JSON.parse(labels) as Labels,
    }))
  }
}

/** Returns the name of a reference in the catalogue: with its tag, or with its digest if it has none. */
export function catalogueName(names: HostNames, reference: Reference): string {
  return nameOf(canonical(names, reference))
}

function nameOf({ host, repository, tag, digest }: Reference): string {
  return formatReference({ host, repository, ...(tag === undefined ? digest && { digest } : { tag }) })
}
