import { Scratch } from '../bytes/scratch.ts'
import type { Digest } from '../oci/digest.ts'
import { Manifest, parseDocument } from '../oci/documents.ts'
import type { Repository } from '../registry/repository.ts'
import type { Conversion, ConversionOutcome } from './convert/conversion.ts'
import { type ConvertedImage, ImageConversion } from './convert/convert-image.ts'
import { withSide } from './errors.ts'
import type { Document } from './output/assemble-image.ts'
import { attachRecord, checkAttachable } from './output/attach-record.ts'
import { ConversionAnnotations } from './output/conversion-annotations.ts'
import { decideChildren, notesOf } from './output/index-children.ts'
import { type Push, pushImage, pushIndex, pushTocImage } from './output/push-images.ts'
import { type TagGuard, Target } from './output/target.ts'
import { Progress } from './progress.ts'
import { readRecordSource } from './record/record-source.ts'
import type { ConversionProgress, ConversionReport, LayerReport, RemovedNote } from './report.ts'
import { type ConversionRequest, TOC_TAG_SUFFIX } from './request.ts'
import { RequestTally } from './request-bounds.ts'
import { cacheUses } from './reuse/cache-uses.ts'
import { imageKey } from './reuse/image-key.ts'
import { reuseImage } from './reuse/reuse-image.ts'
import type { ConversionServices } from './services.ts'
import { type OpenedReference, openReference, readImages } from './source/images.ts'
import { assertSupportedLayers } from './source/supported-layers.ts'

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
  const { opened, recordOf, target, signal } = conversion
  const key = cache && imageKey(conversion)
  const reused = key && (await reuseImage(key, conversion))
  const { report, final, converted } = reused ?? (await convert(conversion))
  const attached =
    request.options?.attachRecord && recordOf
      ? await withSide('target', () => attachRecord(converted, final, recordOf, { opened, target, signal }))
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
  const target = await withSide('target', async () => {
    const opened = Target.of(services.registries, request.target, request.overwrite ?? false, guardTag)
    await opened.check(signal)
    return opened
  })
  const tocTarget = request.options?.externalToc ? target.beside(TOC_TAG_SUFFIX) : undefined
  const opened = await withSide('source', () => openReference(services.registries, request.source, signal))
  const found = await withSide('source', () => readImages(opened, request.platforms, tally, signal))
  await withSide('source', async () => {
    tally.checkReport(found.images, opened.pinned)
    // The images of an index were looked at when it was read.
    if (found.tree !== undefined) return
    for (const image of found.images) await assertSupportedLayers(opened.repository, image, signal)
  })
  const { record } = request
  const recordOf =
    record &&
    (await withSide('record', () =>
      readRecordSource(record, opened, found.images, { ...services, tally }, signal),
    ))
  if (request.options?.attachRecord && recordOf) {
    await withSide('record', async () => checkAttachable(found.images, recordOf))
  }
  const isInPlace = await withSide('target', () => takesOwnTag(opened, target, signal))
  const links = request.options?.link === 'subject' && isSameRepository(opened.repository, target.repository)
  const how = { isInPlace, links }
  return { request, services, opened, found, recordOf, target, tocTarget, how, progress, tally, signal }
}

async function convert(conversion: Conversion): Promise<ConversionOutcome> {
  const { request, services, opened, found, target, tocTarget, how, progress, tally, signal } = conversion
  progress.phase('converting')
  const { folder, limit, room } = services.scratch
  await using scratch = await Scratch.open(folder, { limit, room, signal })
  const madeOf = new ConversionAnnotations(request.options, how)
  const parts = { request, services, opened, target, scratch, progress, tally, madeOf, signal }
  const images = new ImageConversion(parts)
  const converted = new Map<Digest, ConvertedImage>()
  // One after the other: the layers of an image run side by side, and their scratch bytes are one image's.
  for (const image of found.images) {
    // An index may list one manifest for several platforms.
    if (converted.has(image.descriptor.digest)) continue
    converted.set(image.descriptor.digest, await images.convert(image, conversion.recordOf))
  }

  progress.phase('pushing')
  const made = [...converted.values()]
  const push = { opened, madeOf, signal }
  const tocImage = tocTarget && (await withSide('target', () => pushTocImage(made, tocTarget, push)))
  const pushed = await withSide('target', () => pushResult(conversion, made, push))
  const { descriptor } = pushed.final
  const report = {
    source: opened.pinned,
    target: target.name,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    size: sum(made, (layer) => layer.size),
    sourceSize: sum(made, (layer) => layer.source.size),
    ...(tocImage && { tocImage }),
    images: found.images.flatMap(({ descriptor: { digest }, platform }) => {
      const one = converted.get(digest)
      return one ? { ...one.report, platform } : []
    }),
    dropped: pushed.dropped,
    kept: pushed.kept,
    removed: together([...pushed.removed, ...made.flatMap((one) => one.removed)]),
    ...(how.links && { subject: subjectOf(pushed.final) }),
  }
  return { report, final: descriptor, converted: made }
}

async function pushResult(conversion: Conversion, converted: readonly ConvertedImage[], push: Push) {
  const { request, found, target, how, signal } = conversion
  if (!found.tree) {
    const final = await pushImage(converted, target, signal)
    return { final, removed: [], kept: [], dropped: [] }
  }
  const isChoice = request.platforms !== undefined
  const fates = decideChildren(found.tree, {
    keepsAttestations: request.options?.attestations === 'keep',
    keepsOthers: how.isInPlace && !isChoice,
    isChoice,
  })
  const pushed = await pushIndex(found.tree, converted, fates, target, push)
  return { ...pushed, kept: notesOf(pushed.fates.kept), dropped: notesOf(pushed.fates.dropped) }
}

/** The source of a result that names it, or that of the first conversion where this one found its own result. */
function subjectOf({ bytes }: Document): Digest | undefined {
  return parseDocument(Manifest.pick({ subject: true }), bytes, 'the result').subject?.digest
}

/** Whether the result takes the tag of its own source. */
async function takesOwnTag(opened: OpenedReference, target: Target, signal: AbortSignal): Promise<boolean> {
  const { repository, reference, descriptor } = opened
  if (!isSameRepository(repository, target.repository)) return false
  if (reference.digest === undefined && (reference.tag ?? 'latest') === target.tag) return true
  return (await target.repository.resolve(target.tag, { signal }))?.digest === descriptor.digest
}

function isSameRepository(one: Repository, other: Repository): boolean {
  return one.host === other.host && one.repository === other.repository
}

/** The notes of one digest as one. */
function together(notes: readonly RemovedNote[]): RemovedNote[] {
  const names = new Map<Digest, Set<string>>()
  for (const { digest, names: more } of notes) {
    names.set(digest, new Set([...(names.get(digest) ?? []), ...more]))
  }
  return [...names].map(([digest, those]) => ({ digest, names: [...those] }))
}

function sum(images: readonly ConvertedImage[], size: (layer: LayerReport) => number): number {
  const layers = images.flatMap((one) => one.report.layers)
  return layers.reduce((total, layer) => total + size(layer), 0)
}
