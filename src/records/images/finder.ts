import type { Digest } from '../../oci/digest.ts'
import { DocumentError, parseManifestOrIndex } from '../../oci/documents.ts'
import { formatReference, parseReference, type Reference, tagOrDigest } from '../../oci/reference.ts'
import { profiledDigest, tryParseReference } from '../profiled-digest.ts'
import {
  describeRecordImage,
  isRefusal,
  listRecordImages,
  type RecordImageSummary,
  type Repository,
} from './record-image.ts'
import { isRecordOf } from './record-tag.ts'

/** Referrers of one image that are looked at: signatures and the like are among them. */
const MAX_REFERRERS = 200

/** A repository by name. */
export type Place = Pick<Reference, 'host' | 'repository'>

export type RecordFinderOptions = {
  /** Opens a repository. @throws RegistryError HOST_NOT_ALLOWED */
  readonly repository: (at: Place) => Repository
  /** Where record images go unless told otherwise; `prefix` goes before repository names. */
  readonly backing: { readonly host: string; readonly prefix: string }
}

export type FindRequest = {
  readonly image: string
  readonly workload?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** A record image that belongs to an image, or to another one of its repository. */
export type FoundRecordImage = RecordImageSummary & {
  /** With the tag where it has one. */
  readonly reference: string
  readonly place: Place
  readonly match: 'digest' | 'repository'
  /** Digests of the images that it belongs to. */
  readonly about: readonly Digest[]
}

/**
 * Finds the record images of an image in registries: the referrers of its digest (and of those of its platforms), and
 * the tags of its own repository and of the one beside it in the backing registry.
 */
export class RecordFinder {
  readonly #parts: RecordFinderOptions

  constructor(parts: RecordFinderOptions) {
    this.#parts = parts
  }

  /** The repository of an image's record images in the backing registry. */
  beside({ host, repository }: Place): Place {
    const { host: backing, prefix } = this.#parts.backing
    const isInside = host === backing && (prefix === '' || repository.startsWith(`${prefix}/`))
    return { host: backing, repository: isInside || prefix === '' ? repository : `${prefix}/${repository}` }
  }

  /**
   * Best match first: those of the same digest, then those of the same repository, each newest first.
   * @throws RegistryError of the backing registry, and of the image's own one when it fails to answer; what that one refuses
   * is passed over
   */
  async find({ image, workload, signal }: FindRequest): Promise<FoundRecordImage[]> {
    const wanted = parseReference(image)
    const beside = this.beside(wanted)
    const digests = await this.#digestsOf(wanted, signal)
    const found = new Map<string, FoundRecordImage>()
    const take = (place: Place, summary: RecordImageSummary) => {
      if (!isRecordOf(summary, { workload })) return
      const candidate = candidateOf(place, summary, wanted, digests)
      const key = `${placeName(place)}@${summary.digest}`
      // Tags are looked at first: they say more than the digests that referrers are listed by.
      if (candidate && !found.has(key)) found.set(key, candidate)
    }
    await this.#look(beside, digests, signal, take)
    if (placeName(beside) !== placeName(wanted)) {
      await this.#look(wanted, digests, signal, take).catch(ignoreRefusal)
    }
    return [...found.values()].sort(byRank)
  }

  async #look(
    place: Place,
    digests: readonly Digest[],
    signal: AbortSignal | undefined,
    take: (place: Place, summary: RecordImageSummary) => void,
  ): Promise<void> {
    const { host, repository: name } = place
    const repository = this.#parts.repository({ host, repository: name })
    const seen = new Set<Digest>()
    for await (const summary of listRecordImages(repository, { signal })) {
      seen.add(summary.digest)
      take({ host, repository: name }, summary)
    }
    for (const subject of digests) {
      const referrers = await repository.referrers(subject, { signal })
      for (const { digest } of referrers.slice(0, MAX_REFERRERS)) {
        const summary = seen.has(digest)
          ? undefined
          : await describeRecordImage(repository, digest, { signal })
        if (summary) take({ host, repository: name }, summary)
      }
    }
  }

  /** What the reference stands for now: its digest, and those of an index's images. */
  async #digestsOf(image: Reference, signal: AbortSignal | undefined): Promise<Digest[]> {
    const known = image.digest === undefined ? [] : [image.digest]
    try {
      const { descriptor, bytes } = await this.#parts
        .repository(image)
        .manifest(tagOrDigest(image), { signal })
      const document = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${descriptor.digest}`)
      const children = document.kind === 'index' ? document.index.manifests.map(({ digest }) => digest) : []
      return [descriptor.digest, ...children]
    } catch (error) {
      if (!(error instanceof DocumentError)) ignoreRefusal(error)
      return known
    }
  }
}

/**
 * The best of what was found for one image of an index: its own first, then what belongs to the whole index.
 * @param found in the order of {@link RecordFinder.find}
 */
export function bestFor(
  found: readonly FoundRecordImage[],
  own: Digest,
  index: Digest,
): FoundRecordImage | undefined {
  const exact = [own, index].flatMap((digest) => found.find(({ about }) => about.includes(digest)) ?? [])[0]
  if (exact) return { ...exact, match: 'digest' }
  const [other] = found.toSorted((a, b) => newestFirst(a, b))
  return other && { ...other, match: 'repository' }
}

function candidateOf(
  place: Place,
  summary: RecordImageSummary,
  wanted: Reference,
  digests: readonly Digest[],
): FoundRecordImage | undefined {
  const profiled = profiledDigest(summary.image, [])
  const about = [summary.subject, profiled].filter((digest) => digest !== undefined)
  const match = about.some((digest) => digests.includes(digest)) ? 'digest' : 'repository'
  const said = tryParseReference(summary.image)
  // What says nothing of an image belongs to the repository that it lies in.
  if (match === 'repository' && said && placeName(said) !== placeName(wanted)) return undefined
  const name = placeName(place)
  const reference = summary.tag === undefined ? `${name}@${summary.digest}` : `${name}:${summary.tag}`
  return { ...summary, reference, place, match, about }
}

function byRank(a: FoundRecordImage, b: FoundRecordImage): number {
  if (a.match !== b.match) return a.match === 'digest' ? -1 : 1
  return newestFirst(a, b)
}

/** Those that do not say when they were made come last. */
function newestFirst(a: FoundRecordImage, b: FoundRecordImage): number {
  const [first, second] = [momentOf(a), momentOf(b)]
  if (first !== second) return second - first
  return a.reference < b.reference ? -1 : 1
}

function momentOf({ created }: FoundRecordImage): number {
  const moment = Date.parse(created ?? '')
  return Number.isNaN(moment) ? 0 : moment
}

function placeName({ host, repository }: Place): string {
  return formatReference({ host, repository })
}

function ignoreRefusal(error: unknown): void {
  if (!isRefusal(error)) throw error
}
