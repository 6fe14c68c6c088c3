import type { ProjectScope } from '../../db/project-scope.ts'
import { isDigest } from '../../oci/digest.ts'
import { parseReference } from '../../oci/reference.ts'
import { isBelowPrefix } from '../../records/images/record-finder.ts'
import { throwUnlessRefusal } from '../../records/images/registry-refusals.ts'
import type { ImageRows } from '../image-rows.ts'
import type { ImageWriter } from '../image-writer.ts'
import type { KnownImages } from '../known-images.ts'
import { type Location, locationName } from '../location.ts'
import type { RepositoryProjects } from '../repository-projects.ts'
import type { KnownRepositories } from '../scan/known-repositories.ts'
import type { VisibleRepositories } from '../visible-repositories.ts'
import type { RegistrySource } from './registry-source.ts'
import { RepositoryComparer } from './repository-comparer.ts'

const TAGS_PER_STEP = 100
const KNOWN_PER_STEP = 100
const CONCURRENCY = 4

/** What a request wants compared now: the repositories of an image, one repository, or all of them. */
export type RefreshRequest = {
  readonly repository?: Location | undefined
  /** A reference; only a digest has no repository. */
  readonly image?: string | undefined
}

export type RefresherOptions = {
  readonly open: (location: Location) => RegistrySource
  readonly catalog: (signal: AbortSignal) => AsyncIterable<string>
  readonly backing: { readonly host: string; readonly prefix: string }
  /** The repository in the backing registry for the record images of an image. */
  readonly backingRepositoryOf: (image: Location) => Location
  readonly writer: ImageWriter
  readonly rows: ImageRows
  readonly images: KnownImages
  readonly visible: VisibleRepositories
  readonly projects: RepositoryProjects
  readonly scope: ProjectScope
  readonly repositories: KnownRepositories
  readonly maxTags: number
  readonly maxImages: number
}

/**
 * Compares parts of the catalogue with their registries while a request waits for it: those that its caller may read. For
 * others there is nothing to compare, whether they exist or not.
 */
export class CatalogueRefresher {
  readonly #options: RefresherOptions

  constructor(options: RefresherOptions) {
    this.#options = options
  }

  /** @throws RegistryError of the repository; one that refuses an image's own repository is skipped */
  async refresh({ repository, image }: RefreshRequest, signal: AbortSignal): Promise<void> {
    const { rows, maxImages } = this.#options
    const room = { images: maxImages - (await rows.count(maxImages)) }
    if (repository) await this.#compare(repository, room, signal, true)
    else if (image !== undefined && !isDigest(image)) await this.#compareImage(image, room, signal)
    else await this.#compareAll(room, signal)
  }

  async #compareImage(text: string, room: { images: number }, signal: AbortSignal): Promise<void> {
    const image = parseReference(text)
    const location = { host: image.host, repository: image.repository }
    const backing = this.#options.backingRepositoryOf(image)
    await this.#compare(backing, room, signal, false)
    if (locationName(backing) !== locationName(location)) {
      await this.#compare(location, room, signal, false).catch(throwUnlessRefusal)
    }
    if (image.tag === undefined && image.digest === undefined) return
    const places = [backing, location].filter((place) => this.#options.visible.allows(place))
    // An untagged image, and record images in one repository that belong to the image in the other.
    const { digest } = image
    if (places.includes(location)) {
      const comparer = await this.#comparer(location, room, signal)
      await comparer
        .compareReference(digest === undefined ? image : { ...location, digest }, { keepsUntagged: true })
        .catch(throwUnlessRefusal)
    }
    const { digests } = await this.#options.images.find(text)
    for (const place of places) {
      const comparer = await this.#comparer(place, room, signal)
      for (const digest of digests) await comparer.compareReferrers(digest).catch(throwUnlessRefusal)
    }
  }

  async #compareAll(room: { images: number }, signal: AbortSignal): Promise<void> {
    const { catalog, backing } = this.#options
    for await (const repository of catalog(signal)) {
      if (!isBelowPrefix(repository, backing.prefix)) continue
      await this.#compare({ host: backing.host, repository }, room, signal, true)
    }
  }

  /** @param withReferrers whether to look for referrers of all images of the repository */
  async #compare(
    location: Location,
    room: { images: number },
    signal: AbortSignal,
    withReferrers: boolean,
  ): Promise<void> {
    const { rows, repositories, maxTags, visible } = this.#options
    if (!visible.allows(location)) return
    const startedAt = Date.now()
    const comparer = await this.#comparer(location, room, signal)
    const listed = await comparer.listTags(maxTags)
    const tags = listed?.tags ?? []
    for (let start = 0; start < tags.length; start += TAGS_PER_STEP) {
      await comparer.compareTags(tags.slice(start, start + TAGS_PER_STEP))
    }
    const isListed = new Set(tags)
    for (let after: { tag: string; id: string } | undefined; ; ) {
      const known = await rows.page(location, after, KNOWN_PER_STEP)
      await comparer.compareKnown(known, isListed, withReferrers)
      after = known.at(-1)
      if (after === undefined) break
    }
    // A full catalogue may have left images out.
    const isComplete = listed?.isComplete && room.images > 0 && (await this.#mayCorrect(location))
    if (isComplete) await repositories.markCompared(location, startedAt)
  }

  /**
   * What a registry hides from another project is not gone: only the project that a repository is compared for may
   * remove anything.
   */
  async #mayCorrect(location: Location): Promise<boolean> {
    const { projects, scope } = this.#options
    return scope.includes(await projects.of(location))
  }

  async #comparer(
    location: Location,
    room: { images: number },
    signal: AbortSignal,
  ): Promise<RepositoryComparer> {
    const { open, writer, rows } = this.#options
    return new RepositoryComparer({
      source: open(location),
      location,
      writer,
      rows,
      signal,
      concurrency: CONCURRENCY,
      room,
      removesMissing: await this.#mayCorrect(location),
    })
  }
}
