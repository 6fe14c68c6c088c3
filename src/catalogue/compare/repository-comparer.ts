import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import type { Digest } from '../../oci/digest.ts'
import { isTag, type Reference } from '../../oci/reference.ts'
import { REFERRERS_TAG } from '../../records/images/list-record-images.ts'
import { MAX_REFERRERS } from '../../records/images/record-finder.ts'
import { RegistryError } from '../../registry/errors.ts'
import { describeManifest } from '../describe-manifest.ts'
import type { ImageRows, KnownImage } from '../image-rows.ts'
import type { ImageWriter, SeenImage } from '../image-writer.ts'
import type { Location } from '../location.ts'
import type { RegistrySource } from './registry-source.ts'

export type ComparerOptions = {
  readonly source: RegistrySource
  readonly location: Location
  readonly writer: ImageWriter
  readonly rows: ImageRows
  readonly signal: AbortSignal
  /** Concurrent requests. */
  readonly concurrency: number
  /** How many more images the catalogue may take; the comparer reduces it. */
  readonly room: { images: number }
  /** Whether what the registry does not show is removed, and not only left as it was; default: yes. */
  readonly removesMissing?: boolean
}

/** Compares what the catalogue knows of one repository with the registry, and corrects the catalogue. */
export class RepositoryComparer {
  readonly #options: ComparerOptions
  /** The digests whose referrers were read. */
  readonly #subjects = new Set<Digest>()

  constructor(options: ComparerOptions) {
    this.#options = options
  }

  /**
   * Lists the tags of the repository, sorted.
   * @returns undefined if the registry does not have the repository
   * @throws RegistryError
   */
  async listTags(limit: number): Promise<{ tags: string[]; isComplete: boolean } | undefined> {
    const { source, signal } = this.#options
    const tags = new Set<string>()
    let isComplete = true
    try {
      for await (const tag of source.listTags({ signal, limit: limit + 1 })) {
        if (tags.size >= limit) isComplete = false
        else if (isTag(tag) && !REFERRERS_TAG.test(tag)) tags.add(tag)
      }
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error
      if (error.code === 'NOT_FOUND') return undefined
      // An endless list: what it began with is compared.
      if (error.code !== 'LIMIT_EXCEEDED') throw error
      isComplete = false
    }
    return { tags: [...tags].sort(), isComplete }
  }

  /** Compares some tags. @throws RegistryError */
  async compareTags(tags: readonly string[]): Promise<void> {
    const { location, rows, signal, concurrency } = this.#options
    const known = await rows.withTags(location, tags)
    const seen = await allOrAbort(
      tags,
      signal,
      (tag) => this.#see({ ...location, tag }, known.get(tag)),
      concurrency,
    )
    await this.#apply(seen.filter((change) => change !== undefined))
  }

  /**
   * Compares one reference, with a tag or a digest.
   * @param options.keepsUntagged whether an image without a tag is added, and not only a record image. The images
   * of an index have no tags, and are known by their index.
   * @throws RegistryError
   */
  async compareReference(reference: Reference, { keepsUntagged = false } = {}): Promise<void> {
    const { location, rows } = this.#options
    const { tag, digest } = reference
    if (tag !== undefined) {
      if (!REFERRERS_TAG.test(tag)) await this.compareTags([tag])
      return
    }
    const change = await this.#see(reference, undefined)
    const isImage = change?.kind === 'seen' && change.image.content.kind !== 'record'
    const isKnown = digest !== undefined && (await rows.knownDigests(location, [digest])).has(digest)
    if (isImage && !keepsUntagged && !isKnown) return
    await this.#apply([change])
  }

  /**
   * Checks whether known images still exist, except for those with a tag in `tags`.
   * @param withReferrers whether to look for referrers of the images, too
   * @throws RegistryError
   */
  async compareKnown(
    images: readonly KnownImage[],
    tags: ReadonlySet<string>,
    withReferrers: boolean,
  ): Promise<void> {
    const { location } = this.#options
    for (const image of images) {
      if (!tags.has(image.tag)) {
        const reference = {
          ...location,
          ...(image.tag === '' ? { digest: image.digest } : { tag: image.tag }),
        }
        const change = await this.#see(reference, image)
        if (change) await this.#apply([change])
        if (change?.kind === 'gone') continue
      }
      const mayHaveReferrers = withReferrers && (image.kind === 'image' || image.kind === 'index')
      if (mayHaveReferrers) await this.compareReferrers(image.digest).catch(throwIfRetryable)
    }
  }

  /** Reads the record images among the referrers of a digest that are not known. @throws RegistryError */
  async compareReferrers(subject: Digest): Promise<void> {
    if (this.#subjects.has(subject)) return
    this.#subjects.add(subject)
    const { source, location, rows, signal, concurrency } = this.#options
    const listed = (await source.listReferrers(subject, { signal })).slice(0, MAX_REFERRERS)
    const digests = listed.map(({ digest }) => digest)
    const known = await rows.knownDigests(location, digests)
    const seen = await allOrAbort(
      digests.filter((digest) => !known.has(digest)),
      signal,
      (digest) => this.#see({ ...location, digest }, undefined),
      concurrency,
    )
    // Signatures and other artifacts are no record images, and are known by the images that they belong to.
    await this.#apply(
      seen.filter((change) => change?.kind === 'seen' && change.image.content.kind === 'record'),
    )
  }

  /** Reads what a reference refers to. Undefined if that is as known. */
  async #see(reference: Reference, known: KnownImage | undefined): Promise<Change | undefined> {
    const { source, signal } = this.#options
    const name = reference.tag ?? reference.digest ?? 'latest'
    const descriptor = await source.resolve(name, { signal })
    if (!descriptor) return { kind: 'gone', reference }
    if (known?.isRead && known.digest === descriptor.digest) return undefined
    const described = await describeManifest(source, name, descriptor.digest, { signal })
    if (!described) return { kind: 'gone', reference }
    const image = { reference, ...described, isRead: true, isCompared: true }
    return { kind: 'seen', image, isNew: known === undefined }
  }

  async #apply(changes: readonly (Change | undefined)[]): Promise<void> {
    const { writer, location, room, removesMissing = true } = this.#options
    const images: SeenImage[] = []
    const gone: Reference[] = []
    const goneDigests: Digest[] = []
    for (const change of changes) {
      if (change?.kind === 'gone' && change.reference.tag !== undefined) gone.push(change.reference)
      else if (change?.kind === 'gone' && change.reference.digest) goneDigests.push(change.reference.digest)
      if (change?.kind !== 'seen') continue
      if (change.isNew && room.images <= 0) continue
      if (change.isNew) room.images -= 1
      images.push(change.image)
    }
    await writer.put(images)
    if (!removesMissing) return
    await writer.remove(gone)
    // A manifest that is gone has no tags any more.
    for (const digest of goneDigests) await writer.removeManifest(location, digest)
  }
}

/** A registry that has no list of referrers to show still has its tags. */
function throwIfRetryable(error: unknown): void {
  if (!(error instanceof RegistryError) || error.retryable) throw error
}

type Change =
  | { readonly kind: 'gone'; readonly reference: Reference }
  | { readonly kind: 'seen'; readonly image: SeenImage; readonly isNew: boolean }
