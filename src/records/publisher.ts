import { type Digest, isDigest } from '../oci/digest.ts'
import type { Descriptor } from '../oci/documents.ts'
import { formatReference, parseReference, type Reference, tagOrDigest } from '../oci/reference.ts'
import {
  defaultRecordTag,
  listRecordImages,
  publishRecordImage,
  type RecordImage,
  type RecordImageSummary,
  type Repository,
  readRecordImage,
} from './image.ts'
import type { RecordEntry } from './model.ts'
import { profiledDigest } from './profiled-digest.ts'
import type { Publication, RecordStore, StoredRecord } from './store.ts'

/** A record that cannot be published as it was asked. */
export class PublishError extends Error {
  override readonly name = 'PublishError'
  readonly code: 'RECORD_NOT_FOUND' | 'NAME_NEEDED'
  constructor(code: 'RECORD_NOT_FOUND' | 'NAME_NEEDED', message: string) {
    super(message)
    this.code = code
  }
}

export type PublisherParts = {
  readonly store: RecordStore
  /** Opens a repository. @throws RegistryError HOST_NOT_ALLOWED */
  readonly repository: (at: Pick<Reference, 'host' | 'repository'>) => Repository
  /** All repositories of the backing registry. */
  readonly catalog: (signal: AbortSignal | undefined) => AsyncIterable<string>
  /** Where record images go unless told otherwise; `prefix` goes before repository names. */
  readonly backing: { readonly host: string; readonly prefix: string }
  /** Of one record file, in bytes. */
  readonly recordBytes: number
}

export type ListRequest = {
  /** `host/name`, or a name in the backing registry. */
  readonly repository?: string | undefined
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly limit: number
  /** What `next` was. */
  readonly after?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export type ListedRecordImage = RecordImageSummary & { readonly reference: string }

/** Puts stored records into registries as record file images, and finds those that are there. */
export class RecordPublisher {
  readonly #parts: PublisherParts

  constructor(parts: PublisherParts) {
    this.#parts = parts
  }

  /**
   * Publishes a stored record. Without a reference it goes beside its image in the backing registry, as
   * `<repository of the image>:record-<tag>-<workload>`.
   * @throws PublishError; RecordError RECORD_HAS_GLOBS; RecordImageError TAG_EXISTS; RegistryError
   */
  async publish(
    id: string,
    options: {
      readonly reference?: string
      readonly overwrite?: boolean
      readonly signal?: AbortSignal
    } = {},
  ): Promise<Publication & { readonly subject?: Digest }> {
    const { store } = this.#parts
    const record = await store.get(id)
    const entries = record && (await store.content(id))
    if (!entries) throw new PublishError('RECORD_NOT_FOUND', `there is no record ${id}`)
    const place = this.#place(record, options.reference)
    const repository = this.#parts.repository(place)
    const subject = await findSubject(repository, record, entries, options.signal)
    const { digest } = await publishRecordImage(repository, entries, {
      tag: place.tag,
      overwrite: options.overwrite,
      subject,
      image: record.image,
      workload: record.workload,
      signal: options.signal,
    })
    const publication = await store.addPublication(id, { reference: formatReference(place), digest })
    return { ...publication, ...(subject && { subject: subject.digest }) }
  }

  /**
   * Record images that are in registries now, by repository and tag. Without a repository those beside the named
   * image, without either those of the whole backing registry.
   * @throws RegistryError
   */
  async images(request: ListRequest): Promise<{ items: ListedRecordImage[]; next?: string }> {
    const { limit, workload, signal, after = '' } = request
    const image = imageOf(request.image)
    const items: ListedRecordImage[] = []
    for (const place of await this.#places(request, image)) {
      const name = `${place.host}/${place.repository}`
      // A cursor names the last image that was given: repositories before its own are done.
      if (`${name}:` < after && !after.startsWith(`${name}:`)) continue
      const tag = after.startsWith(`${name}:`) ? after.slice(name.length + 1) : undefined
      const listed = listRecordImages(this.#parts.repository(place), { workload, image, after: tag, signal })
      for await (const summary of listed) {
        const last = items.at(-1)
        if (items.length === limit && last) return { items, next: last.reference }
        items.push({ ...summary, reference: `${name}:${summary.tag}` })
      }
    }
    return { items }
  }

  /** Any record image in an allowed registry, with its entries. @throws RecordImageError NOT_A_RECORD_IMAGE */
  async show(text: string, signal?: AbortSignal): Promise<RecordImage & { readonly reference: string }> {
    const reference = parseReference(text)
    const repository = this.#parts.repository(reference)
    const image = await readRecordImage(repository, tagOrDigest(reference), {
      maxBytes: this.#parts.recordBytes,
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
    return { ...(asked ?? this.#beside(image)), tag: defaultRecordTag(image, record.workload) }
  }

  /** The repository of an image's record images in the backing registry. */
  #beside({ host, repository }: Reference): Pick<Reference, 'host' | 'repository'> {
    const { host: backing, prefix } = this.#parts.backing
    const inside = host === backing && (prefix === '' || repository.startsWith(`${prefix}/`))
    return { host: backing, repository: inside || prefix === '' ? repository : `${prefix}/${repository}` }
  }

  async #places(
    request: ListRequest,
    image: Reference | undefined,
  ): Promise<Pick<Reference, 'host' | 'repository'>[]> {
    if (request.repository !== undefined) return [this.#named(request.repository)]
    if (image) return [this.#beside(image)]
    const { host, prefix } = this.#parts.backing
    const places: { host: string; repository: string }[] = []
    for await (const repository of this.#parts.catalog(request.signal)) {
      if (prefix === '' || repository.startsWith(`${prefix}/`)) places.push({ host, repository })
    }
    return places.sort((a, b) => (`${a.repository}:` < `${b.repository}:` ? -1 : 1))
  }

  /** A first part that looks like a host is one; any other name is in the backing registry. */
  #named(text: string): Pick<Reference, 'host' | 'repository'> {
    const [first = '', ...rest] = text.split('/')
    if (rest.length > 0 && /[.:]|^localhost$/.test(first)) return parseReference(text)
    return parseReference(`${this.#parts.backing.host}/${text}`)
  }
}

/** The image of a record, where it is more than a digest. */
function imageOf(text: string | undefined): Reference | undefined {
  return text === undefined || isDigest(text) ? undefined : parseReference(text)
}

/** The profiled image, when its digest is known and in the repository that the record image goes to. */
async function findSubject(
  repository: Repository,
  record: StoredRecord,
  entries: readonly RecordEntry[],
  signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  const digest = profiledDigest(record.image, entries)
  return digest && repository.resolve(digest, { signal })
}
