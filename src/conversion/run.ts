import { Scratch } from '../bytes/scratch.ts'
import type { Digest } from '../oci/digest.ts'
import { Manifest, parseDocument } from '../oci/documents.ts'
import { traced } from '../tracing/spans.ts'
import type { ConversionPlan } from './conversion-plan.ts'
import { ImageConverter } from './convert/image-converter.ts'
import { withSide } from './errors.ts'
import type { SerializedDocument } from './output/assemble-image.ts'
import { attachRecords } from './output/attach-record.ts'
import type { ConvertedImage, PublishedResult } from './output/converted-image.ts'
import { ProvenanceAnnotations } from './output/provenance-annotations.ts'
import { ResultPublisher } from './output/result-publisher.ts'
import { type ConversionRunOptions, planConversion } from './plan-conversion.ts'
import type { ConversionReport, LayerReport, RemovedFields } from './report.ts'
import type { ConversionRequest } from './request.ts'
import { countCacheUses } from './reuse/count-cache-uses.ts'
import { computeImageKey } from './reuse/image-key.ts'
import { reuseImage } from './reuse/reuse-image.ts'
import type { ConversionServices } from './services.ts'

/**
 * Converts an image, registry to registry. The target tag moves last, so that a failed conversion leaves no
 * tag; content that was pushed until then is addressed by digest, so that a retry does no harm.
 * @throws ConversionError; SideError for errors of registries, layers and records
 */
export async function runConversion(
  request: ConversionRequest,
  services: ConversionServices,
  options: ConversionRunOptions,
): Promise<ConversionReport> {
  const startedAt = performance.now()
  const { cache } = services
  const plan = await traced('plan conversion', {}, () => planConversion(request, services, options))
  const { recordFor, target } = plan
  const key = cache && computeImageKey(plan)
  const reused = key && (await traced('reuse image', {}, () => reuseImage(key, plan)))
  const result = reused ?? (await convert(plan))
  const attached =
    request.options?.attachRecord && recordFor
      ? await withSide('target', () => attachRecords(recordFor, result, plan))
      : undefined
  const durationMs = Math.round(performance.now() - startedAt)
  const report = { ...result.report, ...(attached && { attached }), durationMs }
  if (key && !reused) {
    const { host, repository } = target.repository
    const { digest, size } = result.tagged
    await cache.images.put(key, { report, digest, size, host, repository })
  }
  await cache?.countUses(countCacheUses(report))
  return report
}

async function convert(plan: ConversionPlan): Promise<PublishedResult> {
  const { request, services, source, target, tocTarget, sourceRelation, progress, signal } = plan
  progress.enterPhase('converting')
  const { folder, ...scratchLimits } = services.scratch
  await using scratch = await Scratch.open(folder, { ...scratchLimits, signal })
  const annotations = new ProvenanceAnnotations(request.options, sourceRelation)
  const images = await convertImages(plan, new ImageConverter(plan, annotations, scratch))
  const converted = [...images.values()]

  progress.enterPhase('pushing')
  const publisher = new ResultPublisher(plan, annotations, converted)
  const [tocImage, { tagged, removed, kept, dropped }] = await traced('publish result', {}, async () => [
    tocTarget && (await withSide('target', () => publisher.publishTocImage(tocTarget))),
    await withSide('target', () => publisher.publish()),
  ])
  const { descriptor } = tagged
  const report = {
    source: source.pinned,
    target: target.reference,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    size: sumOverLayers(converted, (layer) => layer.size),
    sourceSize: sumOverLayers(converted, (layer) => layer.source.size),
    ...(tocImage && { tocImage }),
    images: plan.images.images.flatMap(({ descriptor: { digest }, platform }) => {
      const image = images.get(digest)
      return image ? { ...image.report, platform } : []
    }),
    dropped,
    kept,
    removed: mergeNotes([...removed, ...converted.flatMap((image) => image.removed)]),
    ...(sourceRelation.linksSource && { subject: readSubject(tagged) }),
  }
  return { report, tagged: descriptor, images: converted }
}

/**
 * Converts the images one after the other, as the layers of one run concurrently and share the scratch disk.
 * @returns the images by the digest of their source; an index may list one manifest for several platforms
 */
async function convertImages(
  { images }: ConversionPlan,
  converter: ImageConverter,
): Promise<Map<Digest, ConvertedImage>> {
  const converted = new Map<Digest, ConvertedImage>()
  for (const image of images.images) {
    const { digest } = image.descriptor
    if (!converted.has(digest)) converted.set(digest, await converter.convert(image))
  }
  return converted
}

/**
 * Returns the subject of a result: its source, or that of the earlier conversion whose result it kept
 * unchanged.
 */
function readSubject({ bytes }: SerializedDocument): Digest | undefined {
  return parseDocument(Manifest.pick({ subject: true }), bytes, 'the result').subject?.digest
}

/** Merges the notes about one digest. */
function mergeNotes(notes: readonly RemovedFields[]): RemovedFields[] {
  const namesByDigest = new Map<Digest, Set<string>>()
  for (const { digest, names } of notes) {
    namesByDigest.set(digest, new Set([...(namesByDigest.get(digest) ?? []), ...names]))
  }
  return [...namesByDigest].map(([digest, names]) => ({ digest, names: [...names] }))
}

function sumOverLayers(images: readonly ConvertedImage[], size: (layer: LayerReport) => number): number {
  const layers = images.flatMap((image) => image.report.layers)
  return layers.reduce((sum, layer) => sum + size(layer), 0)
}
