import { Scratch } from '../bytes/scratch.ts'
import { layerCompression } from '../oci/media-types.ts'
import { attachRecord, checkAttachable } from './attach-record.ts'
import { RequestTally } from './bounds.ts'
import type { ConversionServices } from './context.ts'
import type { Conversion, Outcome } from './conversion.ts'
import { cacheUses } from './conversion-cache.ts'
import { type ConvertedImage, ImageConversion } from './convert-image.ts'
import { at, ConversionError } from './errors.ts'
import { type Image, openReference, readImages } from './image.ts'
import { imageKey } from './image-cache.ts'
import { Progress } from './progress.ts'
import { pushImages, pushTocImage } from './push-images.ts'
import { readRecordSource } from './record.ts'
import type { ConversionProgress, ConversionReport, LayerReport } from './report.ts'
import { type ConversionRequest, TOC_TAG_SUFFIX } from './request.ts'
import { reuseImage } from './reuse-image.ts'
import { type TagGuard, Target } from './target.ts'

export type RunOptions = {
  readonly signal: AbortSignal
  /** Told at every step; gets the same object each time, changed. */
  readonly onProgress?: (progress: ConversionProgress) => void
  /** Decides when tags may be moved; left out: whenever it comes to that. */
  readonly guardTag?: TagGuard
}

/**
 * Converts an image, registry to registry. The target's tag moves last, so that whatever happens before leaves no
 * tag; all that was pushed by then is addressed by digest, so that doing it again does no harm.
 * @throws ConversionError, and SideError for what registries, layers and records say
 */
export async function runConversion(
  request: ConversionRequest,
  services: ConversionServices,
  options: RunOptions,
): Promise<ConversionReport> {
  const startedAt = performance.now()
  const { cache } = services
  const conversion = await prepare(request, services, options)
  const { opened, found, recordOf, target, signal } = conversion
  const key = cache && imageKey(opened, found.images, recordOf, request.options)
  const reused = key && (await reuseImage(key, conversion))
  const { report, final, converted } = reused ?? (await convert(conversion))
  const attached =
    request.options?.attachRecord && recordOf
      ? await at('target', () => attachRecord(converted, final, recordOf, { opened, target, signal }))
      : undefined
  const durationMs = Math.round(performance.now() - startedAt)
  const whole = { ...report, ...(attached && { attached }), durationMs }
  if (key && !reused) {
    const { host, repository } = target.repository
    const { digest, size } = final
    await cache.images.put(key, { report: whole, digest, size, host, repository })
  }
  await cache?.count(cacheUses(whole))
  return whole
}

/** Reads what the request names, and refuses what cannot be done. */
async function prepare(
  request: ConversionRequest,
  services: ConversionServices,
  { signal, onProgress, guardTag }: RunOptions,
): Promise<Conversion> {
  const progress = new Progress(onProgress)
  const tally = new RequestTally(services.bounds)
  progress.phase('resolving')
  const target = await at('target', async () => {
    const opened = Target.of(services.registries, request.target, request.overwrite ?? false, guardTag)
    await opened.check(signal)
    return opened
  })
  const tocTarget = request.options?.externalToc ? target.beside(TOC_TAG_SUFFIX) : undefined
  const opened = await at('source', () => openReference(services.registries, request.source, signal))
  const found = await at('source', () => readImages(opened, request.platforms, tally, signal))
  await at('source', async () => tally.checkReport(found.images, opened.pinned))
  for (const image of found.images) refuseOddLayers(image)
  const { record } = request
  const recordOf =
    record &&
    (await at('record', () => readRecordSource(record, opened, found.images, { ...services, tally }, signal)))
  if (request.options?.attachRecord && recordOf) {
    await at('record', async () => checkAttachable(found.images, recordOf))
  }
  return { request, services, opened, found, recordOf, target, tocTarget, progress, tally, signal }
}

async function convert(conversion: Conversion): Promise<Outcome> {
  const { request, services, opened, found, target, tocTarget, progress, tally, signal } = conversion
  progress.phase('converting')
  const { folder, limit, room } = services.scratch
  await using scratch = await Scratch.open(folder, { limit, room, signal })
  const images = new ImageConversion({ request, services, opened, target, scratch, progress, tally, signal })
  const converted: ConvertedImage[] = []
  // One after the other: the layers of an image run side by side, and their scratch bytes are one image's.
  for (const image of found.images) converted.push(await images.convert(image, conversion.recordOf))

  progress.phase('pushing')
  const tocImage = tocTarget && (await at('target', () => pushTocImage(converted, tocTarget, signal)))
  const kept = request.options?.attestations === 'keep' ? found.attestations : []
  const final = await at('target', () => pushImages(opened, converted, kept, target, signal))
  const report = {
    source: opened.pinned,
    target: target.name,
    digest: final.digest,
    mediaType: final.mediaType,
    size: sum(converted, (layer) => layer.size),
    sourceSize: sum(converted, (layer) => layer.source.size),
    ...(tocImage && { tocImage }),
    images: converted.map((one) => one.report),
    dropped: [
      ...found.others,
      ...(kept.length > 0 ? [] : found.attestations).map(({ digest }) => ({
        digest,
        reason: 'an attestation about the unconverted image',
      })),
    ],
    kept: kept.map(({ digest }) => ({ digest, reason: 'an attestation' })),
  }
  return { report, final, converted }
}

function sum(images: readonly ConvertedImage[], size: (layer: LayerReport) => number): number {
  const layers = images.flatMap((one) => one.report.layers)
  return layers.reduce((total, layer) => total + size(layer), 0)
}

function refuseOddLayers({ descriptor, manifest }: Image): void {
  const odd = manifest.layers.find((layer) => layerCompression(layer.mediaType) === undefined)
  if (!odd) return
  throw new ConversionError(
    'UNSUPPORTED_LAYER',
    `layer ${odd.digest} of ${descriptor.digest} has the media type ${odd.mediaType}, which is no tar archive, plain or with gzip or zstd`,
  )
}
