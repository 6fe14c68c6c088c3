import { LayerError } from '../estargz/errors.ts'
import { openEStargz } from '../estargz/read.ts'
import type { Digest } from '../oci/digest.ts'
import type { Descriptor } from '../oci/documents.ts'
import { layerCompression } from '../oci/media-types.ts'
import { parseReference, tagOrDigest } from '../oci/reference.ts'
import { readRecordImage } from '../records/image.ts'
import type { RecordEntry } from '../records/model.ts'
import type { ConversionServices } from './context.ts'
import { ConversionError } from './errors.ts'
import { ExternalTocs } from './external-tocs.ts'
import { type Image, type OpenedReference, openReference, readImages } from './image.ts'
import { matchRecord } from './match-record.ts'
import type { Profiled, RecordOf } from './profiled-image.ts'
import type { RecordSource } from './request.ts'
import { together } from './together.ts'

/**
 * Reads the record of a conversion.
 * @param images of the source: a copied record belongs to one of them
 * @throws ConversionError RECORD_NOT_FOUND, NOTHING_TO_COPY, PLATFORM_NOT_FOUND; RecordImageError; RegistryError
 */
export async function readRecordSource(
  source: RecordSource,
  opened: OpenedReference,
  images: readonly Image[],
  services: ConversionServices,
  signal: AbortSignal,
): Promise<RecordOf> {
  if ('copyFrom' in source) return copyRecord(source.copyFrom, images, services, signal)
  if ('match' in source) return matchRecord(source.match.workload, opened, images, services, signal)
  const record = await readEntries(source, services, signal)
  return () => record
}

async function readEntries(
  source: Exclude<RecordSource, { copyFrom: string } | { match: object }>,
  services: ConversionServices,
  signal: AbortSignal,
): Promise<Profiled> {
  if ('inline' in source) return { entries: source.inline }
  if ('image' in source) {
    const reference = parseReference(source.image)
    const repository = services.registries.repository(reference)
    const found = await readRecordImage(repository, tagOrDigest(reference), {
      maxBytes: services.maxRecordBytes,
      signal,
    })
    return { ...found, imageDigest: found.subject }
  }
  const record = await services.storedRecord(source.id)
  if (!record) throw new ConversionError('RECORD_NOT_FOUND', `there is no record ${source.id}`)
  return record
}

/** Takes the prioritized files of an eStargz image, for each image of the source from the one of its platform. */
async function copyRecord(
  reference: string,
  images: readonly Image[],
  services: ConversionServices,
  signal: AbortSignal,
): Promise<RecordOf> {
  const opened = await openReference(services.registries, reference, signal)
  const { images: models } = await readImages(opened, undefined, signal)
  const [only, ...more] = models
  const records = new Map<Digest, RecordEntry[]>()
  for (const image of images) {
    const model =
      models.find((one) => one.platform === image.platform) ?? (more.length === 0 ? only : undefined)
    if (!model) {
      throw new ConversionError(
        'PLATFORM_NOT_FOUND',
        `${opened.pinned} has no image for ${image.platform} to copy prioritized files from`,
      )
    }
    records.set(image.descriptor.digest, await prioritizedOf(opened, model, image, services, signal))
  }
  const unknown = `the files were copied from ${opened.pinned}, and not profiled`
  return (image) => ({ entries: records.get(image.descriptor.digest) ?? [], unknown })
}

/** Prioritized files of an eStargz image in their order, read from footers and tables of contents alone. */
async function prioritizedOf(
  opened: OpenedReference,
  model: Image,
  image: Image,
  { limits }: ConversionServices,
  signal: AbortSignal,
): Promise<RecordEntry[]> {
  const { layers } = model.manifest
  const lists = await together(layers, signal, async (layer, _, either) => {
    if (layerCompression(layer.mediaType) === 'none') return undefined
    return prioritizedIn(opened, layer, limits, either)
  })
  if (lists.every((list) => list === undefined)) {
    throw new ConversionError(
      'NOTHING_TO_COPY',
      `no layer of ${model.descriptor.digest} (${model.platform}) is eStargz: there are no prioritized files to copy`,
    )
  }
  // With as many layers as the source has, they are taken to be the same layers.
  const sameLayers = layers.length === image.manifest.layers.length
  const manifestDigest = image.descriptor.digest
  return lists.flatMap((list = [], layerIndex) =>
    list.map((path) => (sameLayers ? { path, manifestDigest, layerIndex } : { path })),
  )
}

async function prioritizedIn(
  { repository, reference }: OpenedReference,
  layer: Descriptor,
  limits: ConversionServices['limits'],
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const tocs = new ExternalTocs(repository, reference, limits.maxTocBytes)
  try {
    const { prioritized } = await openEStargz({
      externalToc: () => tocs.of(layer.digest, signal),
      size: layer.size,
      readRange: (start, end) => repository.blobRange(layer, start, end, { signal }),
      limits,
    })
    // The root itself is in every layer.
    return prioritized.filter((name) => name !== '')
  } catch (error) {
    if (error instanceof LayerError && error.code === 'NOT_ESTARGZ') return undefined
    throw error
  }
}
