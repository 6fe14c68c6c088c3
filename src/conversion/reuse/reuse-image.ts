import type { Digest } from '../../oci/digest.ts'
import type { ConversionPlan } from '../conversion-plan.ts'
import { withSide } from '../errors.ts'
import type { SerializedDocument } from '../output/assemble-image.ts'
import type { PublishedResult } from '../output/converted-image.ts'
import type { TargetTag } from '../output/target-tag.ts'
import { ConversionReport } from '../report.ts'
import { withCurrentNames } from '../report-names.ts'
import type { Image } from '../source/image.ts'
import { ensureImage } from './ensure-image.ts'

/**
 * Reuses the result of an identical earlier conversion, if the registry still has all of it: ensures that the
 * target repository has the content, and moves the tags.
 * @returns undefined if the image has to be converted
 * @throws ConversionError TARGET_EXISTS, TAG_CHANGED and SideError, as a conversion does
 */
export async function reuseImage(key: Digest, plan: ConversionPlan): Promise<PublishedResult | undefined> {
  const { services, source, images, target, tocTarget, progress, tally, signal } = plan
  const cached = await services.cache?.images.find(key)
  if (!cached || services.registries.names.preferred(cached.host) !== target.repository.host) return undefined
  const { success, data: earlier } = ConversionReport.safeParse(withCurrentNames(cached.report))
  if (!success) return undefined
  const origin = services.registries.repository({ host: cached.host, repository: cached.repository })
  const documents = new Map<Digest, SerializedDocument>()
  for (const digest of [earlier.digest, ...(earlier.tocImage ? [earlier.tocImage.digest] : [])]) {
    const result = await withSide('target', () => ensureImage(target.repository, origin, digest, signal))
    if (result === 'missing') await services.cache?.images.remove(key)
    if (typeof result === 'string') return undefined
    for (const [documentDigest, document] of result) documents.set(documentDigest, document)
  }

  progress.enterPhase('pushing')
  const moveTag = async (tag: TargetTag, digest: Digest) => {
    const document = getDocument(documents, digest)
    await withSide('target', () => tag.moveTag(document, signal))
    return document.descriptor
  }
  // In the order of a conversion: the image cannot be read without its tables of contents.
  if (tocTarget && earlier.tocImage) await moveTag(tocTarget, earlier.tocImage.digest)
  const tagged = await moveTag(target, earlier.digest)
  const { attached: _, durationMs: __, tocImage, ...unchanged } = earlier
  return {
    report: {
      ...unchanged,
      source: source.pinned,
      target: target.reference,
      reused: true,
      ...(tocImage && { tocImage: { ...tocImage, reference: tocTarget?.reference ?? tocImage.reference } }),
      images: earlier.images.map(({ record, ...image }) => ({
        ...image,
        // Reports of earlier versions of the broker may contain more paths.
        ...(record && { record: tally.reportBudget.trim(record) }),
        layers: image.layers.map((layer) => ({
          ...layer,
          action: layer.action === 'duplicate' ? layer.action : 'reused',
        })),
      })),
    },
    tagged,
    images: withoutDuplicates(images.images).map((image) => {
      const digest = earlier.images.find((one) => one.source === image.descriptor.digest)?.digest
      if (digest === undefined) throw new RangeError(`the report has no image of ${image.descriptor.digest}`)
      return { image, manifest: getDocument(documents, digest) }
    }),
  }
}

/** An index may list one manifest for several platforms. */
function withoutDuplicates(images: readonly Image[]): Image[] {
  return [...new Map(images.map((image) => [image.descriptor.digest, image])).values()]
}

function getDocument(documents: ReadonlyMap<Digest, SerializedDocument>, digest: Digest): SerializedDocument {
  const document = documents.get(digest)
  if (!document) throw new RangeError(`${digest} is not part of the reused image`)
  return document
}
