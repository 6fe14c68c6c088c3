import type { EvaluationRequest, RecordEvaluation } from '../records/evaluation.ts'
import { recordUse } from '../records/quality.ts'
import type { ConversionServices } from './context.ts'
import { openReference, readImages } from './image.ts'
import { listLayers } from './list-layers.ts'
import { type Profiled, readProfiledImage } from './profiled-image.ts'

/**
 * Holds a record against an image without converting it: layers are listed from their tables of contents, and read
 * whole where they have none.
 * @throws ConversionError PLATFORM_NOT_FOUND, NOT_AN_IMAGE, UNSUPPORTED_LAYER; RegistryError; LayerError
 */
export async function evaluateRecord(
  record: Profiled,
  request: EvaluationRequest,
  services: Pick<ConversionServices, 'registries' | 'threads' | 'limits'>,
  signal: AbortSignal,
): Promise<RecordEvaluation> {
  const opened = await openReference(services.registries, request.image, signal)
  const { images } = await readImages(opened, request.platforms, signal)
  const evaluated: RecordEvaluation['images'] = []
  // One after the other: the layers of an image are listed side by side.
  for (const image of images) {
    const layers = (await listLayers(opened.repository, image, services, { scan: true, signal })) ?? []
    const against = { opened, image, layers }
    const profiled = await readProfiledImage(record, against, services, { scan: true, signal })
    const { digest } = image.descriptor
    const use = recordUse({ entries: record.entries, layers, manifestDigest: digest, profiled })
    evaluated.push({ platform: image.platform, digest, record: use })
  }
  return { image: opened.pinned, images: evaluated }
}
