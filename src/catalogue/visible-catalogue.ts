import type { RepositoryAccess } from '../access/caller.ts'
import type { Database } from '../db/database.ts'
import type { ProjectScope } from '../db/project-scope.ts'
import { readScanState } from '../db/scan-progress.ts'
import { minItemId } from '../db/terms/item-id.ts'
import { TermIndex } from '../db/terms/term-index.ts'
import type { ItemCount, TermFilter, TermQuery } from '../db/terms/term-query.ts'
import { wordsOf } from '../db/terms/words.ts'
import { type Digest, isDigest } from '../oci/digest.ts'
import type { HostNames } from '../oci/host-names.ts'
import { parseReference } from '../oci/reference.ts'
import type { ImageContent, RecordContent } from './content.ts'
import { VisibleConversions } from './conversions/visible-conversions.ts'
import { AFTER_ALL, formatCursor, type Match, parseCursor } from './cursor.ts'
import { parseDocument, visibleRecord } from './image-document.ts'
import { KnownImages } from './known-images.ts'
import type {
  CatalogueFilter,
  CataloguePage,
  ImageRelations,
  ListedImage,
  ListedRecord,
  PageRequest,
} from './listed-images.ts'
import { canonical, type Location, locationName } from './location.ts'
import { fitting, type Ids, listed, pageOf, type Row, sum } from './page-rows.ts'
import { REGISTRY_SCAN, type ScanState } from './scan/scan-state.ts'
import { imageTerm, type Listing, labelFilter, placeTerms } from './terms.ts'
import { VisibleRepositories } from './visible-repositories.ts'

/** Record images of one image that are counted. */
const MAX_COUNTED = 100
/** Matches no item. */
const NOTHING: TermFilter = { anyOf: [] }

/** Who looks at the catalogue: it sees the repositories that it may read, and the jobs and records of its project. */
export type Viewer = {
  readonly projectScope: ProjectScope
  readonly access: Pick<RepositoryAccess, 'read'>
}

/** Lists images, record images and conversions for a caller, without a request to a registry. */
export class VisibleCatalogue {
  readonly #db: Database
  readonly #names: HostNames
  readonly #scope: ProjectScope
  readonly #visible: VisibleRepositories
  readonly #terms: TermIndex
  readonly #conversions: VisibleConversions
  readonly #images: KnownImages

  constructor(database: Database, names: HostNames, { projectScope, access }: Viewer) {
    this.#db = database
    this.#names = names
    this.#scope = projectScope
    this.#visible = new VisibleRepositories(access.read, names)
    this.#terms = new TermIndex(database, 'catalogue_image_terms')
    this.#conversions = new VisibleConversions(database, this.#visible, projectScope)
    this.#images = new KnownImages(database, names, this.#visible)
  }

  /**
   * Lists record images, newest first. With an image: those of the same digest, then those of other images of its
   * repository.
   * @param filter.image a reference or a digest
   * @throws CatalogueCursorError
   */
  async listRecordImages(
    { image, ...filter }: CatalogueFilter & { readonly image?: string | undefined },
    page: PageRequest,
  ): Promise<CataloguePage<ListedRecord>> {
    const [query, cursor] = [this.#query('record', filter), parseCursor(page.cursor)]
    const comparing = this.#comparedAt(filter.repository)
    // It may fail before it is awaited; this prevents an unhandled rejection.
    comparing.catch(() => undefined)
    if (image === undefined) {
      const found = await this.#terms.find(query, { limit: page.limit, after: cursor?.[1] })
      const { items, ...part } = await this.#records(found)
      const comparedAt = await comparing
      return { ...pageOf(items, part), total: found.total, ...(comparedAt && { comparedAt }) }
    }
    const parts = await this.#partsOf(query, image)
    const items: ListedRecord[] = []
    const totals: ItemCount[] = []
    let next: string | undefined
    for (const { match, query: part } of parts) {
      const isDone = cursor !== undefined && cursor[0] === 'repository' && match === 'digest'
      const room = isDone || next !== undefined ? 0 : page.limit - items.length
      const after = cursor?.[0] === match ? cursor[1] : undefined
      // Of a part without room, only the total counts, and whether a page follows.
      const found = await this.#terms.find(part, {
        limit: Math.max(1, room),
        after: isDone ? undefined : after,
      })
      totals.push(found.total)
      const ids = found.ids.slice(0, Math.max(0, room))
      const read = await this.#records({ ids, hasMore: found.hasMore })
      items.push(...read.items.map((item) => ({ ...item, match })))
      if (isDone || next !== undefined) continue
      const last = read.ids.at(-1)
      if (room > 0 && read.hasMore && last) next = formatCursor(match, last)
      else if (room <= 0 && found.ids.length > 0) next = formatCursor('repository', AFTER_ALL)
    }
    const comparedAt = await comparing
    return { items, ...(next && { next }), total: sum(totals), ...(comparedAt && { comparedAt }) }
  }

  /** Lists images, those first that were seen last. @throws CatalogueCursorError */
  async listImages(
    { image, ...filter }: CatalogueFilter & { readonly image?: string | undefined },
    page: PageRequest,
  ): Promise<CataloguePage<ListedImage>> {
    const query = this.#query('image', filter)
    const comparedAt = await this.#comparedAt(filter.repository)
    const filters = image === undefined ? query.filters : [...query.filters, this.#imageFilter(image)]
    const after = parseCursor(page.cursor)?.[1]
    const found = await this.#terms.find({ ...query, filters }, { limit: page.limit, after })
    const { items, ...part } = await this.#listed(found)
    return { ...pageOf(items, part), total: found.total, ...(comparedAt && { comparedAt }) }
  }

  /**
   * Returns what belongs to an image, or to a record image.
   * @param image a reference with a tag or a digest, or only a digest
   */
  async relationsOf(image: string, limit: number): Promise<ImageRelations> {
    const known = await this.#images.find(image)
    const names = [...known.digests, ...(known.name === undefined ? [] : [known.name])]
    const [recordImages, conversions, convertedFrom, usedBy] = await Promise.all([
      this.listRecordImages({ image }, { limit }),
      this.#conversions.find('source', names, limit),
      this.#conversions.find('result', names, limit),
      this.#conversions.find('record', names, limit),
    ])
    const { digests, comparedAt } = known
    return { digests, ...(comparedAt && { comparedAt }), recordImages, conversions, convertedFrom, usedBy }
  }

  #query(listing: Listing, filter: CatalogueFilter): TermQuery {
    const { repository, workload, labels = {}, text, from, before } = filter
    const exact = workload === undefined ? [] : [imageTerm(listing, 'workload', workload)]
    const ofLabels = Object.entries(labels).map(([name, value]) =>
      labelFilter(listing, `${name}=${value}`, this.#scope),
    )
    const words = wordsOf(text).map((word) => ({ prefix: imageTerm(listing, 'word', word) }))
    return {
      all: imageTerm(listing, 'all'),
      filters: [
        ...this.#placeFilters(listing, repository),
        ...exact.map((term) => ({ anyOf: [term] })),
        ...ofLabels,
        ...words,
      ],
      from: from === undefined ? undefined : minItemId(from),
      below: before === undefined ? undefined : minItemId(before),
    }
  }

  /** A repository that the caller may read needs no other filter. */
  #placeFilters(listing: Listing, repository: Location | undefined): readonly TermFilter[] {
    const terms = placeTerms(listing)
    if (!repository) return this.#visible.filters(terms)
    if (!this.#visible.allows(repository)) return [NOTHING]
    return [{ anyOf: [terms.at(locationName(canonical(this.#names, repository)))] }]
  }

  /** The listings of the record images that match an image by digest, and by repository. */
  async #partsOf(query: TermQuery, image: string): Promise<{ match: Match; query: TermQuery }[]> {
    const { digests, location } = await this.#images.find(image)
    const byDigest = digests.map((digest) => imageTerm('record', 'digest', digest))
    const byRepository = location === undefined ? [] : this.#repositoryTerms(location)
    const withFilter = (filter: TermFilter) => [...query.filters, filter]
    const parts: { match: Match; query: TermQuery }[] = []
    if (byDigest.length > 0) {
      parts.push({ match: 'digest', query: { ...query, filters: withFilter({ anyOf: byDigest }) } })
    }
    if (byRepository.length > 0) {
      const filters = withFilter({ anyOf: byRepository })
      parts.push({ match: 'repository', query: { ...query, filters, noneOf: byDigest } })
    }
    return parts
  }

  /** A record image that names no image belongs to its own repository. */
  #repositoryTerms(location: string): string[] {
    return [imageTerm('record', 'image', location), imageTerm('record', 'nameless', location)]
  }

  #imageFilter(image: string): TermFilter {
    if (isDigest(image)) return { anyOf: [imageTerm('image', 'digest', image)] }
    const { digest, ...reference } = parseReference(image)
    if (digest !== undefined) return { anyOf: [imageTerm('image', 'digest', digest)] }
    const location = locationName(canonical(this.#names, reference))
    const name = reference.tag === undefined ? location : `${location}:${reference.tag}`
    return { anyOf: [imageTerm('image', reference.tag === undefined ? 'location' : 'image', name)] }
  }

  /** When a repository, or the whole backing registry, was last compared completely. */
  async #comparedAt(repository: Location | undefined): Promise<number | undefined> {
    if (repository === undefined) {
      return (await readScanState<ScanState>(this.#db, REGISTRY_SCAN))?.comparedAt || undefined
    }
    if (!this.#visible.allows(repository)) return undefined
    const row = await this.#db.query
      .selectFrom('catalogue_repositories')
      .select('compared_at')
      .where('location', '=', locationName(canonical(this.#names, repository)))
      .executeTakeFirst()
    return row?.compared_at || undefined
  }

  async #records(found: Ids): Promise<Ids & { items: ListedRecord[] }> {
    const { rows, ...part } = fitting(await this.#rows(found.ids), found)
    const items = rows.map((row): ListedRecord => {
      const { content, publishedFrom } = parseDocument(row.document)
      const { kind: _, ...shown } = content as RecordContent
      return { kind: 'record', ...shown, ...visibleRecord(publishedFrom, this.#scope), ...listed(row) }
    })
    return { ...part, items }
  }

  async #listed(found: Ids): Promise<Ids & { items: ListedImage[] }> {
    const { rows, ...part } = fitting(await this.#rows(found.ids), found)
    const [conversionTo, conversionFrom] = [
      await this.#conversions.latest('result', rows),
      await this.#conversions.latest('source', rows),
    ]
    const digestTerms = rows.map(({ digest }) => imageTerm('record', 'digest', digest))
    const visible = this.#visible.filters(placeTerms('record'))
    const counts = await this.#terms.countEach(digestTerms, MAX_COUNTED, visible)
    const items = rows.map((row): ListedImage => {
      const count = counts.get(imageTerm('record', 'digest', row.digest)) ?? 0
      const [convertedFrom, latestConversion] = [conversionTo(row), conversionFrom(row)]
      return {
        ...(JSON.parse(row.document) as ImageContent),
        digest: row.digest as Digest,
        ...listed(row),
        ...(convertedFrom && { convertedFrom }),
        ...(latestConversion && { latestConversion }),
        recordImages: { count, isLowerBound: count === MAX_COUNTED },
      }
    })
    return { ...part, items }
  }

  /** Returns rows in the order of their ids, newest first. */
  async #rows(ids: readonly string[]): Promise<Row[]> {
    if (ids.length === 0) return []
    return this.#db.query
      .selectFrom('catalogue_images')
      .leftJoin('catalogue_repositories', 'catalogue_repositories.location', 'catalogue_images.location')
      .select([
        'id',
        'reference',
        'digest',
        'document',
        'is_read',
        'seen_at',
        'catalogue_images.compared_at',
        'catalogue_repositories.compared_at as all_compared_at',
      ])
      .where('id', 'in', ids)
      .orderBy('id', 'desc')
      .execute()
  }
}
