import { isDigest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { formatReference, parseReference, type Reference, tagOrDigest } from '../../oci/reference.ts'
import type { Repository } from '../../registry/repository.ts'
import type { RecordEntry, RecordLimits } from '../model.ts'
import { profiledDigest } from '../profiled-digest.ts'
import type { ProjectRecords } from '../project-records.ts'
import type { Publication, StoredRecord } from '../stored-record.ts'
import { listRecordImages } from './list-record-images.ts'
import { publishRecordImage } from './publish-record-image.ts'
import { type RecordImage, readRecordImage } from './read-record-image.ts'
import {
  isBelowPrefix,
  type RecordFinder,
  type RecordFinderOptions,
  type RepositoryLocation,
} from './record-finder.ts'
import type { RecordImageSummary } from './record-image-summary.ts'
import { defaultRecordTag } from './record-tag.ts'
import { isRefusalOrOutage } from './registry-refusals.ts'

export class PublishError extends Error {
  override readonly name = 'PublishError'
  readonly code: 'RECORD_NOT_FOUND' | 'NAME_REQUIRED'
  constructor(code: 'RECORD_NOT_FOUND' | 'NAME_REQUIRED', message: string) {
    super(message)
    this.code = code
  }
}

export type RecordPublisherOptions = {
  readonly store: ProjectRecords
  /** @throws RegistryError HOST_NOT_ALLOWED */
  readonly openRepository: (location: RepositoryLocation) => Repository
  readonly finder: RecordFinder
  /** Lists all repositories of the backing registry. */
  readonly catalog: (signal: AbortSignal | undefined) => AsyncIterable<string>
  readonly backing: RecordFinderOptions['backing']
  readonly recordLimits: RecordLimits
}

export type ListedRecordImage = RecordImageSummary & { readonly reference: string }

/** A published record image. */
export type PublishedImage = Publication & {
  readonly summary: RecordImageSummary
  /** The image that it is a referrer of, and the tag by which that was found. */
  readonly subject?: Descriptor
  readonly subjectReference?: Reference
}

/** Publishes stored records as record file images, and lists and reads the record images in registries. */
export class RecordPublisher {
  readonly #options: RecordPublisherOptions

  constructor(options: RecordPublisherOptions) {
    this.#options = options
  }

  /**
   * Publishes a stored record. By default, it is published in the backing registry, as `<repository of the
   * image>:record-<tag>-<workload>`, and refers to the profiled image. With `attachTo`, it refers to that
   * image, and is by default published in its repository, without a tag.
   * @throws PublishError; RecordError RECORD_HAS_GLOBS; RecordImageError TAG_EXISTS; RegistryError, among them
   * REPOSITORY_NOT_ALLOWED
   */
  async publish(
    id: string,
    options: {
      readonly reference?: string
      readonly attachTo?: string
      readonly overwrite?: boolean
      readonly signal?: AbortSignal
    } = {},
  ): Promise<PublishedImage> {
    const { store } = this.#options
    const stored = await store.read(id)
    if (!stored) throw new PublishError('RECORD_NOT_FOUND', `record ${id} does not exist`)
    const { record, entries } = stored
    const { signal, overwrite } = options
    const attachedTo = options.attachTo === undefined ? undefined : parseReference(options.attachTo)
    const target: Reference =
      attachedTo && options.reference === undefined
        ? { host: attachedTo.host, repository: attachedTo.repository }
        : this.#targetOf(record, options.reference)
    const repository = this.#options.openRepository(target)
    const subject = attachedTo
      ? await this.#resolveAttachedImage(attachedTo, signal)
      : await this.#resolveProfiledImage(repository, record, entries, signal)
    const { digest, summary } = await publishRecordImage(repository, entries, {
      tag: target.tag,
      overwrite,
      subject,
      image: record.image,
      workload: record.workload,
      profiler: record.profiler,
      profilerVersion: record.profilerVersion,
      createdAt: new Date(record.createdAt).toISOString(),
      provenance: record.provenance,
      signal,
    })
    const { host } = repository
    const reference = formatReference({ ...target, host, ...(target.tag === undefined && { digest }) })
    const publication = await store.addPublication(id, { reference, digest })
    const subjectReference = attachedTo ?? parseImage(record.image)
    const isFoundByTag = subjectReference?.tag !== undefined && subjectReference.digest === undefined
    return {
      ...publication,
      summary,
      ...(subject && { subject }),
      ...(subject && isFoundByTag && { subjectReference }),
    }
  }

  /** @throws RegistryError NOT_FOUND */
  async #resolveAttachedImage(image: Reference, signal: AbortSignal | undefined): Promise<Descriptor> {
    return (await this.#options.openRepository(image).getManifest(tagOrDigest(image), { signal })).descriptor
  }

  /**
   * Resolves the profiled image by its digest if that is known, otherwise by its tag, first in the target
   * repository and then in its own. A subject need not be in the repository of its referrers
   * (distribution-spec 1.1, "Pushing Manifests with Subject").
   */
  async #resolveProfiledImage(
    targetRepository: Repository,
    record: StoredRecord,
    entries: readonly RecordEntry[],
    signal: AbortSignal | undefined,
  ): Promise<Descriptor | undefined> {
    const image = parseImage(record.image)
    const name = profiledDigest(record.image, entries) ?? image?.tag
    if (name === undefined) return undefined
    const inTarget = isDigest(name) ? await targetRepository.resolve(name, { signal }) : undefined
    if (inTarget || image === undefined) return inTarget
    try {
      return await this.#options.openRepository(image).resolve(name, { signal })
    } catch (error) {
      // The record is then published without a subject.
      if (!isRefusalOrOutage(error)) throw error
      return undefined
    }
  }

  /**
   * Lists the tagged record images that the backing registry has now, by repository and tag.
   * @param isSelected of which repositories
   * @throws RegistryError
   */
  async *listAll(
    signal: AbortSignal | undefined,
    isSelected: (location: RepositoryLocation) => boolean,
  ): AsyncGenerator<ListedRecordImage> {
    const { backing, catalog, openRepository } = this.#options
    const { host, prefix } = backing
    for (const repository of (await Array.fromAsync(catalog(signal))).sort()) {
      if (!isBelowPrefix(repository, prefix) || !isSelected({ host, repository })) continue
      for await (const summary of listRecordImages(openRepository({ host, repository }), { signal })) {
        yield { ...summary, reference: `${host}/${repository}:${summary.tag}` }
      }
    }
  }

  /**
   * Reads any record image in an allowed registry, with its entries.
   * @throws RecordImageError NOT_A_RECORD_IMAGE
   */
  async read(
    referenceText: string,
    signal?: AbortSignal,
  ): Promise<RecordImage & { readonly reference: string }> {
    const reference = parseReference(referenceText)
    const repository = this.#options.openRepository(reference)
    const image = await readRecordImage(repository, tagOrDigest(reference), {
      ...this.#options.recordLimits,
      signal,
    })
    return { ...image, reference: formatReference({ ...reference, digest: image.digest }) }
  }

  /**
   * Returns the reference to publish a record as, with the default repository and tag if they are not named.
   */
  #targetOf(record: StoredRecord, referenceText: string | undefined): Reference & { readonly tag: string } {
    const named = referenceText === undefined ? undefined : parseReference(referenceText)
    if (named?.tag !== undefined) return { ...named, tag: named.tag }
    const image = parseImage(record.image)
    if (image === undefined || record.workload === undefined) {
      throw new PublishError(
        'NAME_REQUIRED',
        named
          ? `${referenceText} needs a tag: the record lacks the image or the workload for a default tag`
          : 'name a reference: the record lacks the image (as a reference) or the workload for a default one',
      )
    }
    return {
      ...(named ?? this.#options.finder.backingRepositoryOf(image)),
      tag: defaultRecordTag(image, record.workload),
    }
  }
}

/** Parses the image of a record; undefined if it is only a digest. @throws InvalidReferenceError */
function parseImage(text: string | undefined): Reference | undefined {
  return text === undefined || isDigest(text) ? undefined : parseReference(text)
}
