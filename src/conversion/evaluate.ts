import { formatReference } from '../oci/reference.ts'
import { distinctEntries } from '../records/combine/record-merger.ts'
import type { EvaluationRequest, RecordEvaluation, RetargetedRecord } from '../records/evaluation.ts'
import { ConversionError } from './errors.ts'
import type { AppliedRecord } from './layers/apply-task.ts'
import type { LoadedRecord } from './record/loaded-record.ts'
import { RecordApplier } from './record/record-applier.ts'
import { RequestTally } from './request-bounds.ts'
import type { ConversionServices } from './services.ts'
import type { Image } from './source/image.ts'
import { ImageReader, type OpenedReference } from './source/image-reader.ts'
import { LayerLister } from './source/layer-lister.ts'
import type { ListedLayers } from './source/listed-layer-cache.ts'

/** The services that evaluations share. */
export type EvaluationServices = Pick<
  ConversionServices,
  'registries' | 'threads' | 'limits' | 'bounds' | 'maxRecordSteps'
> & {
  /** Listings of layers that were read before; if omitted, every evaluation reads them again. */
  readonly listedLayers?: ListedLayers
}

/**
 * Reports how much of a record an image has, without converting the image. Layers are listed from their
 * tables of contents; layers without one are downloaded and decompressed.
 * @throws ConversionError PLATFORM_NOT_FOUND, NOT_AN_IMAGE, UNSUPPORTED_LAYER, LIMIT_EXCEEDED; RegistryError;
 * LayerError;
 *   RecordError GLOBS_TOO_COSTLY, RECORD_TOO_COSTLY
 */
export async function evaluateRecord(
  record: LoadedRecord,
  request: EvaluationRequest,
  services: EvaluationServices,
  signal: AbortSignal,
): Promise<RecordEvaluation> {
  const evaluation = new Evaluation(services, signal)
  const { opened, images } = await evaluation.open(request.image, request.platforms)
  evaluation.tally.assertReportLayers(images, opened.pinned)
  const evaluated: RecordEvaluation['images'] = []
  // Images are evaluated one by one to bound memory; the layers of each are listed concurrently.
  for (const image of images) {
    const { use } = await evaluation.apply(record, opened, image, request.interpreters ?? true)
    evaluated.push({ platform: image.platform, digest: image.descriptor.digest, record: use })
  }
  return { image: opened.pinned, images: evaluated }
}

/**
 * Applies a record to another image by path. The result contains the paths that the image has, without layer
 * positions.
 * @throws ConversionError PLATFORM_REQUIRED, NO_PATHS_FOUND; the errors of {@link evaluateRecord}
 */
export async function retargetRecord(
  record: LoadedRecord,
  request: { readonly image: string; readonly platform?: string | undefined },
  services: EvaluationServices,
  signal: AbortSignal,
): Promise<RetargetedRecord> {
  const evaluation = new Evaluation(services, signal)
  const platforms = request.platform === undefined ? undefined : [request.platform]
  const { opened, images } = await evaluation.open(request.image, platforms)
  const [image, ...others] = images
  if (image === undefined || others.length > 0) {
    const available = images.map(({ platform }) => platform).join(', ')
    throw new ConversionError(
      'PLATFORM_REQUIRED',
      `${opened.pinned} has several images; name a platform: ${available}`,
    )
  }
  const { use, resolutions } = await evaluation.apply(record, opened, image, true)
  const remaining = [...distinctEntries(record.entries).values()].filter(({ path }) => {
    const resolution = resolutions.get(path)
    return resolution === 'placed' || resolution === 'followed'
  })
  if (remaining.length === 0) {
    throw new ConversionError(
      'NO_PATHS_FOUND',
      `${opened.pinned} has none of the ${use.pathCount} recorded paths`,
    )
  }
  return {
    image: formatReference({ ...opened.reference, digest: image.descriptor.digest }),
    platform: image.platform,
    entries: remaining.map(({ path, glob }) => ({ path, ...(glob && { glob }) })),
    use,
  }
}

/** Reads images and applies records to them, within the bounds of one request. */
class Evaluation {
  readonly tally: RequestTally
  readonly #images: ImageReader
  readonly #layers: LayerLister
  readonly #applier: RecordApplier
  readonly #signal: AbortSignal

  constructor(services: EvaluationServices, signal: AbortSignal) {
    const { registries, threads, limits, bounds, maxRecordSteps, listedLayers } = services
    this.tally = new RequestTally(bounds)
    this.#images = new ImageReader({ registries, tally: this.tally, signal })
    this.#layers = new LayerLister({ threads, limits, tally: this.tally, listedLayers })
    this.#applier = new RecordApplier({
      images: this.#images,
      layers: this.#layers,
      threads,
      limits,
      maxSteps: maxRecordSteps,
      reportBudget: this.tally.reportBudget,
      signal,
    })
    this.#signal = signal
  }

  async open(
    reference: string,
    platforms: readonly string[] | undefined,
  ): Promise<{ readonly opened: OpenedReference; readonly images: readonly Image[] }> {
    const opened = await this.#images.open(reference)
    const { images } = await this.#images.read(opened, platforms)
    return { opened, images }
  }

  async apply(
    record: LoadedRecord,
    opened: OpenedReference,
    image: Image,
    interpreters: boolean,
  ): Promise<AppliedRecord> {
    const options = { scan: true, signal: this.#signal }
    const layers = (await this.#layers.list(opened.repository, image, options)) ?? []
    const target = { opened, image, layers }
    return this.#applier.apply(record, target, { scan: true, returnResolutions: true, interpreters })
  }
}
