import { type Digest, digestOf } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { ExactJsonObject } from '../../oci/exact-json.ts'
import { type RecordEntry, recordDigest } from '../../records/model.ts'
import { type ConversionOptions, outputOptions } from '../request.ts'
import { OUTPUT_VERSION } from '../reuse/layer-key.ts'

/** The inputs of a conversion, by digest: references would make the results in two mirrors differ. */
const SOURCE_ANNOTATION = 'io.record-broker.conversion.source'
const RECORD_ANNOTATION = 'io.record-broker.conversion.record'
const OPTIONS_ANNOTATION = 'io.record-broker.conversion.options'
const VERSION_ANNOTATION = 'io.record-broker.conversion.version'
const SETTINGS_ANNOTATIONS = [RECORD_ANNOTATION, OPTIONS_ANNOTATION, VERSION_ANNOTATION]
const PROVENANCE_ANNOTATIONS = [SOURCE_ANNOTATION, ...SETTINGS_ANNOTATIONS]

/** How the result of a conversion relates to its source. */
export type SourceRelation = {
  /** Whether the result gets the tag of the source. */
  readonly replacesSource: boolean
  /** Whether the result names the source as its subject. */
  readonly linksSource: boolean
}

/** Annotates the manifests and indexes of one conversion with its inputs. */
export class ProvenanceAnnotations {
  readonly #optionsDigest: Digest
  readonly #sourceRelation: SourceRelation
  readonly #recordDigests = new Map<readonly RecordEntry[], Digest>()

  constructor(options: ConversionOptions | undefined, sourceRelation: SourceRelation) {
    this.#optionsDigest = digestOf(JSON.stringify(outputOptions(options)))
    this.#sourceRelation = sourceRelation
  }

  /** Returns the digest of a record. It is computed once for each record, as records can be large. */
  recordDigest(entries: readonly RecordEntry[]): Digest {
    const digest = this.#recordDigests.get(entries) ?? recordDigest(entries)
    this.#recordDigests.set(entries, digest)
    return digest
  }

  /**
   * Returns a manifest or index with annotations about its conversion instead of those about an earlier one.
   * A conversion that replaces its source and finds its own result there returns it unchanged, so that
   * repeating it gives the same digest.
   * @param o.isTagged whether the target tag will point to the document
   */
  annotate(
    document: ExactJsonObject,
    source: Descriptor,
    o: { readonly record: Digest | undefined; readonly isTagged: boolean },
  ): ExactJsonObject {
    const existing = (document.annotations ?? {}) as ExactJsonObject
    const others = Object.entries(existing).filter(([key]) => !PROVENANCE_ANNOTATIONS.includes(key))
    const settings: Record<string, string> = {
      ...(o.record && { [RECORD_ANNOTATION]: o.record }),
      [OPTIONS_ANNOTATION]: this.#optionsDigest,
      [VERSION_ANNOTATION]: String(OUTPUT_VERSION),
    }
    const { replacesSource, linksSource } = this.#sourceRelation
    const isOwnResult =
      replacesSource &&
      existing[SOURCE_ANNOTATION] !== undefined &&
      SETTINGS_ANNOTATIONS.every((annotation) => existing[annotation] === settings[annotation])
    if (isOwnResult) return document
    const { mediaType, digest, size } = source
    return {
      ...document,
      ...(linksSource && o.isTagged && { subject: { mediaType, digest, size } }),
      annotations: { ...Object.fromEntries(others), [SOURCE_ANNOTATION]: digest, ...settings },
    }
  }
}
