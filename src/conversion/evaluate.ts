import { formatReference } from '../oci/reference.ts'
import { distinctEntries } from '../records/combine/merge.ts'
import type { EvaluationRequest, RecordEvaluation, RetargetedEntries } from '../records/evaluation.ts'
import { ConversionError } from './errors.ts'
import type { AppliedRecord } from './layers/apply-task.ts'
import { applyRecord } from './record/apply-record.ts'
import type { Profiled } from './record/profiled-image.ts'
import { RequestTally } from './request-bounds.ts'
import { type Image, type OpenedReference, openReference, readImages } from './source/images.ts'
import { type ImageServices, type ListingServices, listLayers } from './source/list-layers.ts'

/**
 * Holds a record against an image without converting it: layers are listed from their tables of contents, and read
 * whole where they have none.
 * @throws ConversionError PLATFORM_NOT_FOUND, NOT_AN_IMAGE, UNSUPPORTED_LAYER, LIMIT_EXCEEDED; RegistryError; LayerError;
 *   RecordError GLOBS_TOO_COSTLY, RECORD_TOO_COSTLY
 */
export async function evaluateRecord(
  record: Profiled,
  request: EvaluationRequest,
  shared: ImageServices,
  signal: AbortSignal,
): Promise<RecordEvaluation> {
  const services = { ...shared, tally: new RequestTally(shared.bounds) }
  const opened = await openReference(services.registries, request.image, signal)
  const { images } = await readImages(opened, request.platforms, services.tally, signal)
  services.tally.checkReport(images, opened.pinned)
  const evaluated: RecordEvaluation['images'] = []
  // One after the other: the layers of an image are listed side by side.
  for (const image of images) {
    const { use } = await evaluateImage(record, opened, image, services, request.interpreters ?? true, signal)
    evaluated.push({ platform: image.platform, digest: image.descriptor.digest, record: use })
  }
  return { image: opened.pinned, images: evaluated }
}

/**
 * Applies a record to another image by path: what the image has is left, without what was known of layers.
 * @throws ConversionError PLATFORM_NEEDED, NOTHING_LEFT, and as {@link evaluateRecord}
 */
export async function retargetRecord(
  record: Profiled,
  request: { readonly image: string; readonly platform?: string | undefined },
  shared: ImageServices,
  signal: AbortSignal,
): Promise<RetargetedEntries> {
  const services = { ...shared, tally: new RequestTally(shared.bounds) }
  const opened = await openReference(services.registries, request.image, signal)
  const platforms = request.platform === undefined ? undefined : [request.platform]
  const { images } = await readImages(opened, platforms, services.tally, signal)
  const [image, ...others] = images
  if (image === undefined || others.length > 0) {
    const known = images.map(({ platform }) => platform).join(', ')
    throw new ConversionError(
      'PLATFORM_NEEDED',
      `${opened.pinned} has several images; name a platform: ${known}`,
    )
  }
  const { use, fates } = await evaluateImage(record, opened, image, services, true, signal)
  const left = [...distinctEntries(record.entries).values()].filter(({ path }) => {
    const fate = fates.get(path)
    return fate === 'placed' || fate === 'followed'
  })
  if (left.length === 0) {
    throw new ConversionError('NOTHING_LEFT', `${opened.pinned} has none of the ${use.paths} recorded paths`)
  }
  return {
    image: formatReference({ ...opened.reference, digest: image.descriptor.digest }),
    platform: image.platform,
    entries: left.map(({ path, glob }) => ({ path, ...(glob && { glob }) })),
    use,
  }
}

async function evaluateImage(
  record: Profiled,
  opened: OpenedReference,
  image: Image,
  services: ListingServices,
  interpreters: boolean,
  signal: AbortSignal,
): Promise<AppliedRecord> {
  const layers = (await listLayers(opened.repository, image, services, { scan: true, signal })) ?? []
  return applyRecord(record, { opened, image, layers }, services, {
    scan: true,
    keepFates: true,
    interpreters,
    signal,
  })
}
