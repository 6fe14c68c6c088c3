import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import type { Digest } from '../../oci/digest.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { ConversionPlan } from '../conversion-plan.ts'
import type { ManifestNote, RemovedFields } from '../report.ts'
import type { IndexChild, IndexTree } from '../source/index-tree.ts'
import type { SerializedDocument } from './assemble-image.ts'
import { assembleIndexes } from './assemble-index.ts'
import { type ChildDecisions, decideChildren, dropMissing, toManifestNotes } from './child-decisions.ts'
import type { ConvertedImage } from './converted-image.ts'
import { copyAttestation } from './copy-attestation.ts'
import type { ProvenanceAnnotations } from './provenance-annotations.ts'
import type { TargetTag } from './target-tag.ts'
import { assembleTocImage } from './toc-image.ts'

/** The manifest or index that the target tag points to now, and how it differs from that of the source. */
export type PublishedDocument = {
  readonly tagged: SerializedDocument
  readonly removed: readonly RemovedFields[]
  readonly kept: ManifestNote[]
  readonly dropped: ManifestNote[]
}

/**
 * Pushes configs, manifests and indexes of a conversion whose layers were pushed before, and moves its tags.
 */
export class ResultPublisher {
  readonly #plan: ConversionPlan
  readonly #annotations: ProvenanceAnnotations
  readonly #images: readonly ConvertedImage[]

  constructor(plan: ConversionPlan, annotations: ProvenanceAnnotations, images: readonly ConvertedImage[]) {
    this.#plan = plan
    this.#annotations = annotations
    this.#images = images
  }

  /**
   * Pushes the image of external tables of contents; call it first, as the result cannot be read without it.
   */
  async publishTocImage(tocTarget: TargetTag): Promise<{ reference: string; digest: Digest }> {
    const { source, signal } = this.#plan
    const tocs = new Map(
      this.#images.flatMap(({ layers }) =>
        layers.flatMap(({ digest, externalToc }) => (externalToc ? [[digest, externalToc] as const] : [])),
      ),
    )
    const { config, manifest } = assembleTocImage(tocs, (toc) =>
      this.#annotations.annotate(toc, source.descriptor, { record: this.#sharedRecord, isTagged: false }),
    )
    await tocTarget.repository.pushBytes(config.bytes, { signal })
    await tocTarget.moveTag(manifest, signal)
    return { reference: tocTarget.reference, digest: manifest.descriptor.digest }
  }

  /**
   * Pushes the converted image or index and moves the target tag to it.
   * @throws as {@link TargetTag.moveTag}
   */
  publish(): Promise<PublishedDocument> {
    const { tree } = this.#plan.images
    return tree ? this.#publishIndex(tree) : this.#publishImage()
  }

  async #publishImage(): Promise<PublishedDocument> {
    const { target, signal } = this.#plan
    const [image] = this.#images
    if (!image) throw new RangeError('a manifest is converted to one image')
    await target.repository.pushBytes(image.config.bytes, { signal })
    await target.moveTag(image.manifest, signal)
    return { tagged: image.manifest, removed: [], kept: [], dropped: [] }
  }

  async #publishIndex(tree: IndexTree): Promise<PublishedDocument> {
    const { request, sourceRelation, target, signal } = this.#plan
    const selectsPlatforms = request.platforms !== undefined
    const decisions = decideChildren(tree, {
      keepsAttestations: request.options?.attestations === 'keep',
      keepsUnconverted: sourceRelation.replacesSource && !selectsPlatforms,
      selectsPlatforms,
    })
    await allOrAbort(this.#images, signal, (image, _, imageSignal) =>
      target.repository.pushBytes(image.config.bytes, { signal: imageSignal }),
    )
    for (const { manifest } of this.#images) await target.putByDigest(manifest, signal)
    const missing = await this.#copyKept(decisions)
    const withoutMissing = dropMissing(decisions, missing)
    if (!decisions.keepsMissing || missing.size === 0) return this.#pushIndexes(tree, withoutMissing)
    try {
      return await this.#pushIndexes(tree, decisions)
    } catch (error) {
      // Some registries reject an index that lists a manifest which they do not have.
      const isRejected =
        error instanceof RegistryError && (error.code === 'NOT_FOUND' || error.code === 'BAD_REQUEST')
      if (!isRejected) throw error
      return this.#pushIndexes(tree, withoutMissing)
    }
  }

  /** Copies kept attestations. Returns the kept children that the registry of the source does not have. */
  async #copyKept({ kept }: ChildDecisions): Promise<ReadonlySet<IndexChild>> {
    const { source, target, signal } = this.#plan
    const missing = new Set<IndexChild>()
    for (const child of kept.keys()) {
      const isPresent =
        child.kind === 'attestation'
          ? await copyAttestation(child.descriptor, source.repository, target.repository, signal)
          : !(child.kind === 'other' && child.isMissing)
      if (!isPresent) missing.add(child)
    }
    return missing
  }

  async #pushIndexes(tree: IndexTree, { kept, dropped }: ChildDecisions): Promise<PublishedDocument> {
    const { target, signal } = this.#plan
    const record = this.#sharedRecord
    const { inner, outermost, removed } = assembleIndexes(tree, {
      manifests: new Map(
        this.#images.map(({ image, manifest }) => [image.descriptor.digest, manifest.descriptor]),
      ),
      kept: new Set(kept.keys()),
      annotate: (index, source) =>
        this.#annotations.annotate(index, source.descriptor, { record, isTagged: source === tree }),
    })
    for (const index of inner) await target.putByDigest(index, signal)
    await target.moveTag(outermost, signal)
    return { tagged: outermost, removed, kept: toManifestNotes(kept), dropped: toManifestNotes(dropped) }
  }

  /** The digest of the record that all images were converted with, if it is the same for all. */
  get #sharedRecord(): Digest | undefined {
    const [record, ...others] = new Set(this.#images.map(({ recordDigest }) => recordDigest))
    return others.length === 0 ? record : undefined
  }
}
