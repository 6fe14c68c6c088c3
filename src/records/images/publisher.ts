import { type Digest, isDigest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { formatReference, parseReference, type Reference, tagOrDigest } from '../../oci/reference.ts'
import type { RecordEntry, RecordLimits } from '../model.ts'
import { profiledDigest } from '../profiled-digest.ts'
import type { RecordStore } from '../store.ts'
import type { Publication, StoredRecord } from '../stored-record.ts'
import type { Place, RecordFinder, RecordFinderOptions } from './finder.ts'
import {
  defaultRecordTag,
  isUnreachable,
  listRecordImages,
  publishRecordImage,
  type RecordImage,
  type RecordImageSummary,
  type Repository,
  readRecordImage,
} from './record-image.ts'

/** A record that cannot be published as it was asked. */
export class PublishError extends Error {
  override readonly name = 'PublishError'
  readonly code: 'RECORD_NOT_FOUND' | 'NAME_NEEDED'
  constructor(code: 'RECORD_NOT_FOUND' | 'NAME_NEEDED', message: string) {
    super(message)
    this.code = code
  }
}

export type RecordPublisherOptions = {
  readonly store: RecordStore
  /** Opens a repository. @throws RegistryError HOST_NOT_ALLOWED */
  readonly repository: (at: Place) => Repository
  readonly finder: RecordFinder
  /** All repositories of the backing registry. */
  readonly catalog: (signal: AbortSignal | undefined) => AsyncIterable<string>
  readonly backing: RecordFinderOptions['backing']
  /** Of one record file, in bytes. */
  readonly recordLimits: RecordLimits
}

export type ListRequest = {
  /** `host/name`, or a name in the backing registry. */
  readonly repository?: string | undefined
  /** A reference, or a digest. */
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly limit: number
  /** What `next` was. */
  readonly after?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export type ListedRecordImage = RecordImageSummary & {
  readonly reference: string
  /** How it belongs to the image that was asked about. */
  readonly match?: 'digest' | 'repository'
}

/** Puts stored records into registries as record file images, and finds those that are there. */
export class RecordPublisher {
  readonly #parts: RecordPublisherOptions

  constructor(parts: RecordPublisherOptions) {
    this.#parts = parts
  }

  /**
   * Publishes a stored record. Without a reference it goes beside its image in the backing registry, as
   * `<repository of the image>:record-<tag>-<workload>`. It becomes a referrer of the profiled image, or of the one
   * that it is attached to: then it goes to that image's repository, and needs no tag.
   * @throws PublishError; RecordError RECORD_HAS_GLOBS; RecordImageError TAG_EXISTS; RegistryError
   */
  async publish(
    id: string,
    options: {
      readonly reference?: string
      readonly attachTo?: string
      readonly overwrite?: boolean
      readonly signal?: AbortSignal
    } = {},
  ): Promise<Publication & { readonly subject?: Digest }> {
    const { store } = this.#parts
    const found = await store.read(id)
    if (!found) throw new PublishError('RECORD_NOT_FOUND', `there is no record ${id}`)
    const { record, entries } = found
    const { signal, overwrite } = options
    const attached = options.attachTo === undefined ? undefined : parseReference(options.attachTo)
    const place: Reference =
      attached && options.reference === undefined
        ? { host: attached.host, repository: attached.repository }
        : this.#place(record, options.reference)
    const repository = this.#parts.repository(place)
    const subject = attached
      ? await this.#subjectOf(attached, signal)
      : await this.#profiled(repository, record, entries, signal)
    const { digest } = await publishRecordImage(repository, entries, {
      tag: place.tag,
      overwrite,
      subject,
      image: record.image,
      workload: record.workload,
      profiler: record.profiler,
      profilerVersion: record.profilerVersion,
      created: new Date(record.createdAt).toISOString(),
      provenance: record.provenance,
      signal,
    })
    const reference = formatReference(place.tag === undefined ? { ...place, digest } : place)
    const publication = await store.addPublication(id, { reference, digest })
    return { ...publication, ...(subject && { subject: subject.digest }) }
  }

  /** The image that a record is attached to. @throws RegistryError NOT_FOUND */
  async #subjectOf(image: Reference, signal: AbortSignal | undefined): Promise<Descriptor> {
    return (await this.#parts.repository(image).manifest(tagOrDigest(image), { signal })).descriptor
  }

  /**
   * The profiled image: by its digest where that is known, else what its tag stands for now. It is looked for where
   * the record image goes, and in its own repository. Subjects need not be in the repository of their referrers
   * (distribution-spec 1.1, "Pushing Manifests with Subject").
   */
  async #profiled(
    repository: Repository,
    record: StoredRecord,
    entries: readonly RecordEntry[],
    signal: AbortSignal | undefined,
  ): Promise<Descriptor | undefined> {
    const image = imageOf(record.image)
    const name = profiledDigest(record.image, entries) ?? image?.tag
    if (name === undefined) return undefined
    const here = isDigest(name) ? await repository.resolve(name, { signal }) : undefined
    if (here || image === undefined) return here
    try {
      return await this.#parts.repository(image).resolve(name, { signal })
    } catch (error) {
      // That it is no referrer keeps no record from being published.
      if (!isUnreachable(error)) throw error
      return undefined
    }
  }

  /**
   * Record images that are in registries now. Of an image: best match first. Of a repository, or without either of the
   * whole backing registry: by repository and tag.
   * @throws RegistryError
   */
  async images(request: ListRequest): Promise<{ items: ListedRecordImage[]; next?: string }> {
    const { limit, workload, signal, after = '' } = request
    const image = imageOf(request.image)
    const digest = isDigest(request.image ?? '') ? (request.image as Digest) : undefined
    if (image && request.repository === undefined) return this.#ofImage(request)
    const items: ListedRecordImage[] = []
    for (const place of await this.#places(request)) {
      const name = `${place.host}/${place.repository}`
      // A cursor names the last image that was given: repositories before its own are done.
      if (`${name}:` < after && !after.startsWith(`${name}:`)) continue
      const tag = after.startsWith(`${name}:`) ? after.slice(name.length + 1) : undefined
      const wanted = { workload, image, digest, after: tag, signal }
      const listed = listRecordImages(this.#parts.repository(place), wanted)
      for await (const summary of listed) {
        const last = items.at(-1)
        if (items.length === limit && last) return { items, next: last.reference }
        items.push({ ...summary, reference: `${name}:${summary.tag}` })
      }
    }
    return { items }
  }

  /** A cursor names the last record image that was given; when that is gone, it begins again. */
  async #ofImage({ image = '', workload, limit, after, signal }: ListRequest) {
    const found = await this.#parts.finder.find({ image, workload, signal })
    const from = after === undefined ? 0 : found.findIndex(({ reference }) => reference === after) + 1
    const items: ListedRecordImage[] = found
      .slice(from, from + limit)
      .map(({ place: _, about: __, ...listed }) => listed)
    const last = items.at(-1)
    return last && found.length > from + limit ? { items, next: last.reference } : { items }
  }

  /** Any record image in an allowed registry, with its entries. @throws RecordImageError NOT_A_RECORD_IMAGE */
  async show(text: string, signal?: AbortSignal): Promise<RecordImage & { readonly reference: string }> {
    const reference = parseReference(text)
    const repository = this.#parts.repository(reference)
    const image = await readRecordImage(repository, tagOrDigest(reference), {
      ...this.#parts.recordLimits,
      signal,
    })
    return { ...image, reference: formatReference({ ...reference, digest: image.digest }) }
  }

  #place(record: StoredRecord, reference: string | undefined): Reference & { readonly tag: string } {
    const asked = reference === undefined ? undefined : parseReference(reference)
    if (asked?.tag !== undefined) return { ...asked, tag: asked.tag }
    const image = imageOf(record.image)
    if (image === undefined || record.workload === undefined) {
      throw new PublishError(
        'NAME_NEEDED',
        asked
          ? `name a tag in ${reference}: the record has no image and workload to make one of`
          : 'name a reference: the record has no image (as a reference) and workload to make one of',
      )
    }
    return { ...(asked ?? this.#parts.finder.beside(image)), tag: defaultRecordTag(image, record.workload) }
  }

  async #places(request: ListRequest): Promise<Place[]> {
    if (request.repository !== undefined) return [this.#named(request.repository)]
    const { host, prefix } = this.#parts.backing
    const places: { host: string; repository: string }[] = []
    for await (const repository of this.#parts.catalog(request.signal)) {
      if (prefix === '' || repository.startsWith(`${prefix}/`)) places.push({ host, repository })
    }
    return places.sort((a, b) => (`${a.repository}:` < `${b.repository}:` ? -1 : 1))
  }

  /** A first part that looks like a host is one; any other name is in the backing registry. */
  #named(text: string): Place {
    const [first = '', ...rest] = text.split('/')
    if (rest.length > 0 && /[.:]|^localhost$/.test(first)) return parseReference(text)
    return parseReference(`${this.#parts.backing.host}/${text}`)
  }
}

/** The image of a record, where it is more than a digest. */
function imageOf(text: string | undefined): Reference | undefined {
  return text === undefined || isDigest(text) ? undefined : parseReference(text)
}
