import type { Digest } from '../../oci/digest.ts'
import type { Conversion, ConversionOutcome } from '../convert/conversion.ts'
import { withSide } from '../errors.ts'
import type { Document } from '../output/assemble-image.ts'
import type { Target } from '../output/target.ts'
import { ConversionReport } from '../report.ts'
import type { Image } from '../source/images.ts'
import { ensureImage } from './ensure.ts'

/**
 * Makes the tags stand for what the same conversion came out as before, when all of that lies in the registry still.
 * @returns undefined when it has to be converted
 * @throws ConversionError and SideError as a conversion does when the tag may not move
 */
export async function reuseImage(
  key: Digest,
  conversion: Conversion,
): Promise<ConversionOutcome | undefined> {
  const { services, opened, found, target, tocTarget, progress, tally, signal } = conversion
  const cached = await services.cache?.images.find(key)
  if (!cached || cached.host !== target.repository.host) return undefined
  const { success, data: before } = ConversionReport.safeParse(cached.report)
  if (!success) return undefined
  const from = services.registries.repository({ host: cached.host, repository: cached.repository })
  const documents = new Map<Digest, Document>()
  for (const digest of [before.digest, ...(before.tocImage ? [before.tocImage.digest] : [])]) {
    const brought = await withSide('target', () => ensureImage(target.repository, from, digest, signal))
    if (brought === 'gone') await services.cache?.images.forget(key)
    if (typeof brought === 'string') return undefined
    for (const [name, document] of brought) documents.set(name, document)
  }

  progress.phase('pushing')
  const move = async (to: Target, digest: Digest) => {
    const document = documentOf(documents, digest)
    await withSide('target', () => to.moveTag(document, signal))
    return document.descriptor
  }
  // In the order of a conversion: an image cannot be read without its tables of contents.
  if (tocTarget && before.tocImage) await move(tocTarget, before.tocImage.digest)
  const final = await move(target, before.digest)
  const { attached: _, durationMs: __, tocImage, ...kept } = before
  return {
    report: {
      ...kept,
      source: opened.pinned,
      target: target.name,
      reused: true,
      ...(tocImage && { tocImage: { ...tocImage, reference: tocTarget?.name ?? tocImage.reference } }),
      images: before.images.map(({ record, ...image }) => ({
        ...image,
        // Earlier versions named more.
        ...(record && { record: tally.room.cut(record) }),
        layers: image.layers.map((layer) => ({
          ...layer,
          action: layer.action === 'same-as-other' ? layer.action : 'reused',
        })),
      })),
    },
    final,
    converted: distinct(found.images).map((image) => {
      const digest = before.images.find(({ source }) => source === image.descriptor.digest)?.digest
      if (digest === undefined) throw new RangeError(`no image of ${image.descriptor.digest} in the report`)
      return { image, manifest: documentOf(documents, digest) }
    }),
  }
}

/** Each manifest once, which an index may list for several platforms. */
function distinct(images: readonly Image[]): Image[] {
  return [...new Map(images.map((image) => [image.descriptor.digest, image])).values()]
}

function documentOf(documents: ReadonlyMap<Digest, Document>, digest: Digest): Document {
  const document = documents.get(digest)
  if (!document) throw new RangeError(`${digest} was not brought`)
  return document
}
