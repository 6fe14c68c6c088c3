import { type Digest, digestOf } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { ExactObject } from '../../oci/exact-json.ts'
import { type RecordEntry, recordDigest } from '../../records/model.ts'
import { type ConversionOptions, outputOptions } from '../request.ts'
import { OUTPUT_VERSION } from '../reuse/layer-key.ts'

/** Annotations of a result that say what it was made of. They name no place: that differs from one mirror to the next. */
export const SOURCE_ANNOTATION = 'io.record-broker.conversion.source'
export const RECORD_ANNOTATION = 'io.record-broker.conversion.record'
export const OPTIONS_ANNOTATION = 'io.record-broker.conversion.options'
export const VERSION_ANNOTATION = 'io.record-broker.conversion.version'
const HOW_MADE = [RECORD_ANNOTATION, OPTIONS_ANNOTATION, VERSION_ANNOTATION]
const OURS = [SOURCE_ANNOTATION, ...HOW_MADE]

/** How a result lies to its source. */
export type TagPlacement = {
  /** Whether the result takes the source's own tag. */
  readonly isInPlace: boolean
  /** Whether the source becomes its subject. */
  readonly links: boolean
}

/** What the manifests and indexes of one conversion say that they were made of. */
export class ConversionAnnotations {
  readonly #options: Digest
  readonly #how: TagPlacement
  readonly #records = new Map<readonly RecordEntry[], Digest>()

  constructor(options: ConversionOptions | undefined, how: TagPlacement) {
    this.#options = digestOf(JSON.stringify(outputOptions(options)))
    this.#how = how
  }

  /** The digest of a record; large ones are hashed once. */
  record(entries: readonly RecordEntry[]): Digest {
    const known = this.#records.get(entries) ?? recordDigest(entries)
    this.#records.set(entries, known)
    return known
  }

  /**
   * A manifest or index that says what it was made of, in place of what it said of an earlier conversion. One that takes
   * its source's tag and finds its own result there says what that says, so that doing it again comes to the same digest.
   * @param o.isFinal whether the target tag will point to it
   */
  describe(
    document: ExactObject,
    source: Descriptor,
    o: { readonly record: Digest | undefined; readonly isFinal: boolean },
  ): ExactObject {
    const before = (document.annotations ?? {}) as ExactObject
    const others = Object.entries(before).filter(([key]) => !OURS.includes(key))
    const made: Record<string, string> = {
      ...(o.record && { [RECORD_ANNOTATION]: o.record }),
      [OPTIONS_ANNOTATION]: this.#options,
      [VERSION_ANNOTATION]: String(OUTPUT_VERSION),
    }
    const { isInPlace, links } = this.#how
    const { [SOURCE_ANNOTATION]: first } = before
    const isAgain =
      isInPlace &&
      first !== undefined &&
      HOW_MADE.every((annotation) => before[annotation] === made[annotation])
    if (isAgain) return document
    const { mediaType, digest, size } = source
    return {
      ...document,
      ...(links && o.isFinal && { subject: { mediaType, digest, size } }),
      annotations: { ...Object.fromEntries(others), [SOURCE_ANNOTATION]: digest, ...made },
    }
  }
}
