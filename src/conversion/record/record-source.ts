import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import { fetchToc } from '../../estargz/toc/read-toc.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { layerCompression } from '../../oci/media-types.ts'
import { parseReference, tagOrDigest } from '../../oci/reference.ts'
import { readRecordImage } from '../../records/images/record-image.ts'
import { MAX_RECORD_ENTRIES, type RecordEntry } from '../../records/model.ts'
import { LayerError } from '../../tar/errors.ts'
import { ConversionError } from '../errors.ts'
import type { RecordSource } from '../request.ts'
import type { RequestTally } from '../request-bounds.ts'
import type { ConversionServices } from '../services.ts'
import { ExternalTocs } from '../source/external-tocs.ts'
import { type Image, type OpenedReference, openReference, readImages } from '../source/images.ts'
import { TABLES_AT_ONCE } from '../source/list-layers.ts'
import { layerFailure } from '../source/supported-layers.ts'
import { matchRecord } from './match-record.ts'
import type { Profiled, RecordFor } from './profiled-image.ts'

/** What reading a record needs; the tally is that of the job. */
export type RecordServices = ConversionServices & { readonly tally: RequestTally }

/**
 * Reads the record of a conversion.
 * @param images of the source: a copied record belongs to one of them
 * @throws ConversionError RECORD_NOT_FOUND, NOTHING_TO_COPY, PLATFORM_NOT_FOUND; RecordImageError; RegistryError
 */
export async function readRecordSource(
  source: RecordSource,
  opened: OpenedReference,
  images: readonly Image[],
  services: RecordServices,
  signal: AbortSignal,
): Promise<RecordFor> {
  if ('copyFrom' in source) return copyRecord(source.copyFrom, images, services, signal)
  if ('match' in source) return matchRecord(source.match.workload, opened, images, services, signal)
  const record = await readEntries(source, services, signal)
  return () => record
}

async function readEntries(
  source: Exclude<RecordSource, { copyFrom: string } | { match: object }>,
  services: RecordServices,
  signal: AbortSignal,
): Promise<Profiled> {
  if ('inline' in source) return { entries: source.inline }
  if ('image' in source) {
    const reference = parseReference(source.image)
    const repository = services.registries.repository(reference)
    const found = await readRecordImage(repository, tagOrDigest(reference), {
      ...services.recordLimits,
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
  services: RecordServices,
  signal: AbortSignal,
): Promise<RecordFor> {
  const opened = await openReference(services.registries, reference, signal)
  const { images: models } = await readImages(opened, undefined, services.tally, signal)
  const tocs = new ExternalTocs(opened.repository, opened.reference, services.limits)
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
    records.set(
      image.descriptor.digest,
      await prioritizedOf({ opened, tocs, services, signal }, model, image),
    )
  }
  const unknown = `the files were copied from ${opened.pinned}, and not profiled`
  return (image) => ({ entries: records.get(image.descriptor.digest) ?? [], unknown })
}

/** Where prioritized files are read. */
type Reading = {
  readonly opened: OpenedReference
  readonly tocs: ExternalTocs
  readonly services: RecordServices
  readonly signal: AbortSignal
}

/** Prioritized files of an eStargz image in their order, read from footers and tables of contents alone. */
async function prioritizedOf(reading: Reading, model: Image, image: Image): Promise<RecordEntry[]> {
  const { layers } = model.manifest
  const lists = await allOrAbort(
    layers,
    reading.signal,
    async (layer, _, signal) => {
      if (layerCompression(layer.mediaType) === 'none') return undefined
      return prioritizedIn({ ...reading, signal }, layer)
    },
    TABLES_AT_ONCE,
  )
  if (lists.every((list) => list === undefined)) {
    throw new ConversionError(
      'NOTHING_TO_COPY',
      `no layer of ${model.descriptor.digest} (${model.platform}) is eStargz: there are no prioritized files to copy`,
    )
  }
  const count = lists.reduce((sum, list) => sum + (list?.length ?? 0), 0)
  if (count > MAX_RECORD_ENTRIES) {
    throw new ConversionError(
      'LIMIT_EXCEEDED',
      `${model.descriptor.digest} prioritizes ${count} files, of which a record holds ${MAX_RECORD_ENTRIES} at most`,
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
  { opened: { repository }, tocs, services, signal }: Reading,
  layer: Descriptor,
): Promise<string[] | undefined> {
  const { limits, threads, tally } = services
  try {
    const toc = await fetchToc({
      externalToc: () => tocs.of(layer.digest, signal),
      size: layer.size,
      readRange: (start, end) => repository.blobRange(layer, start, end, { signal }),
      limits,
    })
    const { view } = await threads.run({ kind: 'toc', limits, toc, list: false }, { signal })
    tally.layer(view.entryCount, 0)
    // The root itself is in every layer.
    return view.prioritized.filter((name) => name !== '')
  } catch (error) {
    if (error instanceof LayerError && error.code === 'NOT_ESTARGZ') return undefined
    throw layerFailure(layer, error)
  }
}
