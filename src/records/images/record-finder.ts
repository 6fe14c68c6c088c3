import { DEFAULT_PROJECT } from '../../db/project-scope.ts'
import type { Digest } from '../../oci/digest.ts'
import { DocumentError } from '../../oci/document-error.ts'
import { parseManifestOrIndex } from '../../oci/documents.ts'
import { HostNames } from '../../oci/host-names.ts'
import { formatReference, parseReference, type Reference, tagOrDigest } from '../../oci/reference.ts'
import type { Repository } from '../../registry/repository.ts'
import { imageDigestsOf, tryParseReference } from '../profiled-digest.ts'
import { describeRecordImage, listRecordImages } from './list-record-images.ts'
import { createdTime, type RecordImageSummary } from './record-image-summary.ts'
import { isOfWorkload } from './record-tag.ts'
import { throwUnlessForbidden, throwUnlessRefusal } from './registry-refusals.ts'

/** Referrers that are read for each digest. They include signatures and other artifacts. */
export const MAX_REFERRERS = 200

export type RepositoryLocation = Pick<Reference, 'host' | 'repository'>

export type RecordFinderOptions = {
  /** @throws RegistryError HOST_NOT_ALLOWED */
  readonly openRepository: (location: RepositoryLocation) => Repository
  /** The default registry of record images, and the prefix of its repository names. */
  readonly backing: { readonly host: string; readonly prefix: string }
  /** Whose record images these are; default: the default project. */
  readonly project?: string | undefined
  /** The names of the registry that has several. Default: each has one. */
  readonly names?: HostNames
}

export type FindRequest = {
  readonly image: string
  readonly workload?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** A record image that belongs to an image, or to another image of its repository. */
export type MatchedRecordImage = RecordImageSummary & {
  /** The reference of the record image, with its tag if it has one, otherwise with its digest. */
  readonly reference: string
  /** The repository of the record image. */
  readonly location: RepositoryLocation
  readonly match: 'digest' | 'repository'
  /** The digests of the images that it belongs to. */
  readonly imageDigests: readonly Digest[]
}

/**
 * Finds the record images of an image in registries. It searches the corresponding repositories in the backing
 * registry, that of the project first, and the repository of the image, each by tags and by the referrers of the
 * image's digest and of those of its platforms.
 */
export class RecordFinder {
  readonly #options: RecordFinderOptions
  readonly #names: HostNames

  constructor(options: RecordFinderOptions) {
    this.#options = options
    this.#names = options.names ?? new HostNames([])
  }

  /**
   * Returns the repository in the backing registry for the record images of an image. Each project has its own, below
   * a folder with its name, so that none replaces the record images of another; the default project has no folder.
   */
  backingRepositoryOf(image: RepositoryLocation): RepositoryLocation {
    const { prefix } = this.#options.backing
    const { project = DEFAULT_PROJECT } = this.#options
    const shared = this.#sharedRepositoryOf(image)
    if (project === DEFAULT_PROJECT) return shared
    const folder = joinPath(prefix, project)
    if (this.#isInBacking(image) && isBelowPrefix(image.repository, folder)) return shared
    const path = prefix === '' ? shared.repository : shared.repository.slice(prefix.length + 1)
    return { ...shared, repository: joinPath(folder, path) }
  }

  /** The repository that the default project uses. Other projects that may read it find its record images, too. */
  #sharedRepositoryOf(image: RepositoryLocation): RepositoryLocation {
    const { host, prefix } = this.#options.backing
    return {
      host,
      repository: this.#isInBacking(image) ? image.repository : joinPath(prefix, image.repository),
    }
  }

  #isInBacking({ host, repository }: RepositoryLocation): boolean {
    const { backing } = this.#options
    return this.#names.preferred(host) === backing.host && isBelowPrefix(repository, backing.prefix)
  }

  /**
   * Returns the record images of the same digest, then those of the same repository, each newest first. If
   * the image's own registry refuses access or has nothing, only the backing registry counts. Repositories that the
   * project may not read are left out.
   * @throws RegistryError of the backing registry, and for an outage of the image's own registry
   */
  async find({ image, workload, signal }: FindRequest): Promise<MatchedRecordImage[]> {
    const imageReference = this.#preferred(parseReference(image))
    const backing = [this.backingRepositoryOf(imageReference), this.#sharedRepositoryOf(imageReference)]
    const digests = await this.#readDigests(imageReference, signal)
    const matches = new Map<string, MatchedRecordImage>()
    const addMatches = async (location: RepositoryLocation) => {
      for await (const summary of this.#listCandidates(location, digests, signal)) {
        if (!isOfWorkload(summary, workload)) continue
        const match = this.#match(location, summary, imageReference, digests)
        const key = `${repositoryName(location)}@${summary.digest}`
        // The first one is kept: tags come before referrers, which have no tag.
        if (match && !matches.has(key)) matches.set(key, match)
      }
    }
    const searched = new Set<string>()
    for (const location of backing) {
      if (searched.has(repositoryName(location))) continue
      searched.add(repositoryName(location))
      // A project need not have a place in the backing registry.
      await addMatches(location).catch(throwUnlessForbidden)
    }
    if (!searched.has(repositoryName(imageReference))) {
      const { host, repository } = imageReference
      await addMatches({ host, repository }).catch(throwUnlessRefusal)
    }
    return [...matches.values()].sort(compareMatches)
  }

  /** Lists the tagged record images of a repository, then the referrers of the digests. */
  async *#listCandidates(
    location: RepositoryLocation,
    digests: readonly Digest[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<RecordImageSummary> {
    const repository = this.#options.openRepository(location)
    const listed = new Set<Digest>()
    for await (const summary of listRecordImages(repository, { signal })) {
      listed.add(summary.digest)
      yield summary
    }
    for (const subject of digests) {
      const referrers = await repository.listReferrers(subject, { signal })
      for (const { digest } of referrers.slice(0, MAX_REFERRERS)) {
        if (listed.has(digest)) continue
        const summary = await describeRecordImage(repository, digest, { signal })
        if (summary) yield summary
      }
    }
  }

  /** Returns the current digest of a reference, and those of the images of an index. */
  async #readDigests(image: Reference, signal: AbortSignal | undefined): Promise<Digest[]> {
    try {
      const { descriptor, bytes } = await this.#options
        .openRepository(image)
        .getManifest(tagOrDigest(image), { signal })
      const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`)
      const children = document.kind === 'index' ? document.index.manifests.map(({ digest }) => digest) : []
      return [descriptor.digest, ...children]
    } catch (error) {
      if (!(error instanceof DocumentError)) throwUnlessRefusal(error)
      return image.digest === undefined ? [] : [image.digest]
    }
  }

  /** Returns undefined for a record image that names an image of another repository. */
  #match(
    location: RepositoryLocation,
    summary: RecordImageSummary,
    image: Reference,
    digests: readonly Digest[],
  ): MatchedRecordImage | undefined {
    const imageDigests = imageDigestsOf(summary)
    const match = imageDigests.some((digest) => digests.includes(digest)) ? 'digest' : 'repository'
    const namedImage = tryParseReference(summary.image)
    // A record image that names no image belongs to its own repository.
    const isOfOther = namedImage && repositoryName(this.#preferred(namedImage)) !== repositoryName(image)
    if (match === 'repository' && isOfOther) return undefined
    const name = repositoryName(location)
    const reference = summary.tag === undefined ? `${name}@${summary.digest}` : `${name}:${summary.tag}`
    return { ...summary, reference, location, match, imageDigests }
  }

  #preferred(reference: Reference): Reference {
    return { ...reference, host: this.#names.preferred(reference.host) }
  }
}

/**
 * Selects the best match for one image of an index: one of the image itself, then one of the index, then the
 * newest one.
 * @param matches in the order of {@link RecordFinder.find}
 */
export function bestMatchFor(
  matches: readonly MatchedRecordImage[],
  imageDigest: Digest,
  indexDigest: Digest,
): MatchedRecordImage | undefined {
  for (const digest of [imageDigest, indexDigest]) {
    const match = matches.find(({ imageDigests }) => imageDigests.includes(digest))
    if (match) return { ...match, match: 'digest' }
  }
  const [newest] = matches.toSorted(compareNewestFirst)
  return newest && { ...newest, match: 'repository' }
}

function compareMatches(a: MatchedRecordImage, b: MatchedRecordImage): number {
  if (a.match !== b.match) return a.match === 'digest' ? -1 : 1
  return compareNewestFirst(a, b)
}

/** Record images without a creation time come last. */
function compareNewestFirst(a: MatchedRecordImage, b: MatchedRecordImage): number {
  const [timeOfA, timeOfB] = [createdTime(a), createdTime(b)]
  if (timeOfA !== timeOfB) return timeOfB - timeOfA
  return a.reference < b.reference ? -1 : 1
}

function repositoryName({ host, repository }: RepositoryLocation): string {
  return formatReference({ host, repository })
}

/** @param folder '' for none */
function joinPath(folder: string, path: string): string {
  return folder === '' ? path : `${folder}/${path}`
}

/** Whether a repository of the backing registry is one of this broker. @param prefix '' for all of them */
export function isBelowPrefix(repository: string, prefix: string): boolean {
  return prefix === '' || repository.startsWith(`${prefix}/`)
}
