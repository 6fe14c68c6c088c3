import type { Digest } from '../../oci/digest.ts'
import { formatReference } from '../../oci/reference.ts'
import { readRecordImage } from '../../records/images/read-record-image.ts'
import {
  bestMatchFor,
  type MatchedRecordImage,
  type RecordFinder,
} from '../../records/images/record-finder.ts'
import type { RecordLimits } from '../../records/model.ts'
import type { RegistryClient } from '../../registry/client.ts'
import { ConversionError } from '../errors.ts'
import type { Image } from '../source/image.ts'
import type { OpenedReference } from '../source/image-reader.ts'
import type { LoadedRecord, RecordSelector } from './loaded-record.ts'

/** The maximum length of an annotation of a record image in a report. References are shorter. */
const MAX_ANNOTATION_CHARACTERS = 600

export type RecordMatcherOptions = {
  readonly registries: RegistryClient
  readonly recordFinder: RecordFinder
  readonly recordLimits: RecordLimits
  readonly signal: AbortSignal
}

/** Chooses a record image from the registry for each image of a source. */
export class RecordMatcher {
  readonly #options: RecordMatcherOptions

  constructor(options: RecordMatcherOptions) {
    this.#options = options
  }

  /**
   * Prefers record images of the same digest, then those of the same repository, the newest first.
   * @param workload matches only record images of this workload; undefined matches all
   * @throws ConversionError RECORD_NOT_FOUND; RecordImageError; RegistryError
   */
  async match(
    workload: string | undefined,
    opened: OpenedReference,
    images: readonly Image[],
  ): Promise<RecordSelector> {
    const { recordFinder, signal } = this.#options
    const candidates = await recordFinder.find({ image: opened.pinned, workload, signal })
    const records = new Map<Digest, LoadedRecord>()
    for (const { descriptor, platform } of images) {
      const best = bestMatchFor(candidates, descriptor.digest, opened.descriptor.digest)
      if (!best) {
        const condition = workload === undefined ? '' : ` with the workload ${workload}`
        throw new ConversionError(
          'RECORD_NOT_FOUND',
          `no record image belongs to ${opened.pinned} (${platform})${condition}; publish one, or name the record`,
        )
      }
      records.set(descriptor.digest, await this.#read(best))
    }
    return (image) => records.get(image.descriptor.digest) ?? { entries: [] }
  }

  async #read(matched: MatchedRecordImage): Promise<LoadedRecord> {
    const { registries, recordLimits, signal } = this.#options
    const { digest, location, match, image, workload, createdAt } = matched
    const repository = registries.repository(location)
    const { entries, subject } = await readRecordImage(repository, digest, { ...recordLimits, signal })
    const annotations = {
      ...(image !== undefined && { image }),
      ...(workload !== undefined && { workload }),
      ...(createdAt !== undefined && { createdAt }),
    }
    const shortened = Object.fromEntries(
      Object.entries(annotations).map(([name, text]) => [name, text.slice(0, MAX_ANNOTATION_CHARACTERS)]),
    )
    const origin = { reference: formatReference({ ...location, digest }), match, ...shortened }
    return { entries, imageDigest: subject, ...annotations, origin }
  }
}
