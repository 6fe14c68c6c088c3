import type { Repository } from '../registry/repository.ts'
import type { ConversionPlan } from './conversion-plan.ts'
import { withSide } from './errors.ts'
import { assertAttachable } from './output/attach-record.ts'
import { type TagGuard, TargetTag } from './output/target-tag.ts'
import { ProgressTracker } from './progress-tracker.ts'
import { RecordReader } from './record/record-reader.ts'
import type { ConversionProgress } from './report.ts'
import { type ConversionRequest, TOC_TAG_SUFFIX } from './request.ts'
import { RequestTally } from './request-bounds.ts'
import type { ConversionServices } from './services.ts'
import { ImageReader, type OpenedReference } from './source/image-reader.ts'
import { assertSupportedLayers } from './source/supported-layers.ts'

export type ConversionRunOptions = {
  readonly signal: AbortSignal
  /** Called at every step with the same, updated object. */
  readonly onProgress?: (progress: ConversionProgress) => void
  /** Guards the moves of tags; if omitted, tags are moved as soon as the result is complete. */
  readonly guardTag?: TagGuard
}

/**
 * Reads everything that a conversion depends on, and rejects requests that cannot succeed before any layer is
 * read.
 * @throws ConversionError LIMIT_EXCEEDED; SideError
 */
export async function planConversion(
  request: ConversionRequest,
  services: ConversionServices,
  { signal, onProgress, guardTag }: ConversionRunOptions,
): Promise<ConversionPlan> {
  const { registries } = services
  const options = request.options ?? {}
  const progress = new ProgressTracker(onProgress)
  const tally = new RequestTally(services.bounds)
  const imageReader = new ImageReader({ registries, tally, signal })
  progress.enterPhase('resolving')
  const target = await withSide('target', async () => {
    const opened = TargetTag.open(registries, request.target, request.overwrite ?? false, guardTag)
    await opened.assertWritable(signal)
    return opened
  })
  const tocTarget = options.externalToc ? target.withTagSuffix(TOC_TAG_SUFFIX) : undefined
  const source = await withSide('source', () => imageReader.open(request.source))
  const images = await withSide('source', () => imageReader.read(source, request.platforms))
  await withSide('source', async () => {
    tally.assertReportLayers(images.images, source.pinned)
    // The layers of images in an index were checked when the index was read.
    if (images.tree !== undefined) return
    for (const image of images.images) await assertSupportedLayers(source.repository, image, signal)
  })
  const { record } = request
  const recordReader = new RecordReader({ ...services, images: imageReader, tally, signal })
  const recordFor =
    record && (await withSide('record', () => recordReader.read(record, source, images.images)))
  if (options.attachRecord && recordFor) {
    await withSide('record', async () => assertAttachable(images.images, recordFor))
  }
  const replacesSource = await withSide('target', () => hasTagOfSource(target, source, signal))
  const linksSource = options.link === 'subject' && isSameRepository(source.repository, target.repository)
  const sourceRelation = { replacesSource, linksSource }
  return {
    request,
    services,
    imageReader,
    source,
    images,
    recordFor,
    target,
    tocTarget,
    sourceRelation,
    progress,
    tally,
    signal,
  }
}

/** Whether the target tag is the tag of the source, or points to the same digest in the same repository. */
async function hasTagOfSource(
  target: TargetTag,
  { repository, reference, descriptor }: OpenedReference,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isSameRepository(repository, target.repository)) return false
  if (reference.digest === undefined && (reference.tag ?? 'latest') === target.tag) return true
  return (await target.repository.resolve(target.tag, { signal }))?.digest === descriptor.digest
}

function isSameRepository(one: Repository, other: Repository): boolean {
  return one.host === other.host && one.repository === other.repository
}
