import { Scratch } from '../bytes/scratch.ts'
import type { Digest } from '../oci/digest.ts'
import type { Descriptor } from '../oci/documents.ts'
import { layerCompression } from '../oci/media-types.ts'
import { type RecordUse, recordUse } from '../records/quality.ts'
import { type ArrangedImage, arrangeImage } from './arrange-image.ts'
import { assembleImage, assembleIndex, assembleTocImage, type Document } from './assemble.ts'
import { attachRecord, checkAttachable } from './attach-record.ts'
import { copyAttestation } from './attestations.ts'
import type { ConversionServices } from './context.ts'
import type { ConvertedLayer, MadeLayer } from './converted-layer.ts'
import { at, ConversionError } from './errors.ts'
import { type Image, type OpenedReference, openReference, readImages } from './image.ts'
import { LayerMaker } from './layer-maker.ts'
import { type Profiled, type RecordOf, readProfiledImage } from './profiled-image.ts'
import { type LayerSteps, Progress } from './progress.ts'
import { readRecordSource } from './record.ts'
import type { ConversionProgress, ConversionReport, ImageReport, LayerReport } from './report.ts'
import { type ConversionRequest, compressionOf, formatOf, TOC_TAG_SUFFIX } from './request.ts'
import { type TagGuard, Target } from './target.ts'
import { together } from './together.ts'

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
  const { signal } = options
  const startedAt = performance.now()
  const progress = new Progress(options.onProgress)
  progress.phase('resolving')
  const target = await at('target', async () => {
    const opened = Target.of(
      services.registries,
      request.target,
      request.overwrite ?? false,
      options.guardTag,
    )
    await opened.check(signal)
    return opened
  })
  const tocTarget = request.options?.externalToc ? target.beside(TOC_TAG_SUFFIX) : undefined
  const opened = await at('source', () => openReference(services.registries, request.source, signal))
  const found = await at('source', () => readImages(opened, request.platforms, signal))
  for (const image of found.images) refuseOddLayers(image)
  const { record } = request
  const recordOf =
    record && (await at('record', () => readRecordSource(record, opened, found.images, services, signal)))
  const attaches = request.options?.attachRecord === true
  if (attaches && recordOf) await at('record', async () => checkAttachable(found.images, recordOf))

  progress.phase('converting')
  await using scratch = await Scratch.open(services.scratch.folder, services.scratch.limit)
  const conversion = new ImageConversion({ request, services, opened, target, scratch, progress, signal })
  const converted: ConvertedImage[] = []
  // One after the other: the layers of an image run side by side, and their scratch bytes are one image's.
  for (const image of found.images) converted.push(await conversion.convert(image, recordOf))

  progress.phase('pushing')
  const tocImage = tocTarget && (await at('target', () => pushTocImage(converted, tocTarget, signal)))
  const kept = request.options?.attestations === 'keep' ? found.attestations : []
  const final = await at('target', () => push(opened, converted, kept, target, signal))
  const attached =
    attaches && recordOf
      ? await at('target', () => attachRecord(converted, final, recordOf, { opened, target, signal }))
      : undefined
  return {
    source: opened.pinned,
    target: target.name,
    digest: final.digest,
    mediaType: final.mediaType,
    size: sum(converted, (layer) => layer.size),
    sourceSize: sum(converted, (layer) => layer.source.size),
    ...(tocImage && { tocImage }),
    images: converted.map((one) => one.report),
    ...(attached && { attached }),
    dropped: [
      ...found.others,
      ...(kept.length > 0 ? [] : found.attestations).map(({ digest }) => ({
        digest,
        reason: 'an attestation about the unconverted image',
      })),
    ],
    kept: kept.map(({ digest }) => ({ digest, reason: 'an attestation' })),
    durationMs: Math.round(performance.now() - startedAt),
  }
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

type ConvertedImage = {
  readonly image: Image
  readonly layers: readonly ConvertedLayer[]
  readonly config: Document
  readonly manifest: Document
  readonly report: ImageReport
}

/** What the conversion of each image needs. */
type Parts = {
  readonly request: ConversionRequest
  readonly services: ConversionServices
  readonly opened: OpenedReference
  readonly target: Target
  readonly scratch: Scratch
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** Converts the images of one request. */
class ImageConversion {
  readonly #its: Parts
  readonly #maker: LayerMaker

  constructor(its: Parts) {
    this.#its = its
    const { request, services, opened, target, scratch } = its
    this.#maker = new LayerMaker({
      services,
      source: opened.repository,
      target: target.repository,
      scratch,
      settings: {
        limits: services.limits,
        format: formatOf(request.options),
        compression: compressionOf(request.options),
      },
    })
  }

  async convert(image: Image, recordOf: RecordOf | undefined): Promise<ConvertedImage> {
    const steps = image.manifest.layers.map((layer) => this.#its.progress.layer(image.platform, layer))
    const record = recordOf?.(image)
    const done = record
      ? await arrangeImage(image, record.entries, { ...this.#its, maker: this.#maker, steps })
      : { layers: await this.#stream(image, steps) }
    const layers = done.layers.map((made) => made.layer)
    checkDiffIds(image, layers)
    const assembled = assembleImage(image, layers, this.#its.request.options?.reader)
    const use = record && 'resolved' in done ? await this.#use(image, record, done) : undefined
    return {
      image,
      layers,
      ...assembled,
      report: {
        platform: image.platform,
        source: image.descriptor.digest,
        digest: assembled.manifest.descriptor.digest,
        ...(use && { record: use }),
        layers: layerReports(image, done.layers),
      },
    }
  }

  /** Reports on the record with what the conversion knows by now. */
  async #use(image: Image, record: Profiled, done: ArrangedImage): Promise<RecordUse> {
    const { opened, services, signal } = this.#its
    const against = { opened, image, layers: done.measured }
    return recordUse({
      entries: record.entries,
      layers: done.measured,
      resolved: done.resolved,
      prefetched: done.layers.map(({ layer }) => layer.prefetchBytes),
      profiled: await readProfiledImage(record, against, services, { scan: false, signal }),
      from: record.from,
    })
  }

  #stream(image: Image, steps: readonly LayerSteps[]): Promise<MadeLayer[]> {
    return together(image.manifest.layers, this.#its.signal, async (layer, i, signal) => {
      const made = await this.#maker.stream({ layer, steps: steps[i], signal })
      steps[i]?.done(made.layer.size)
      return made
    })
  }
}

/** The config vouches for what is in the layers; a runtime would refuse such an image too. */
function checkDiffIds({ config, manifest }: Image, layers: readonly ConvertedLayer[]): void {
  for (const [i, layer] of layers.entries()) {
    const said = config.rootfs.diff_ids[i]
    if (layer.sourceDiffId === said) continue
    throw new ConversionError(
      'INVALID_IMAGE',
      `layer ${manifest.layers[i]?.digest} of the source holds ${layer.sourceDiffId} where its config says ${said}`,
    )
  }
}

function layerReports(image: Image, layers: readonly MadeLayer[]): LayerReport[] {
  const seen = new Set<string>()
  return layers.map(({ layer, action }, i) => {
    const { digest = layer.sourceDiffId, size = 0, mediaType = '' } = image.manifest.layers[i] ?? {}
    const again = seen.has(`${digest} ${layer.digest}`)
    seen.add(`${digest} ${layer.digest}`)
    return {
      action: again ? 'same-as-other' : action,
      source: { digest, size, mediaType },
      digest: layer.digest,
      size: layer.size,
      diffId: layer.diffId,
      uncompressedSize: layer.uncompressedSize,
      tocDigest: layer.tocDigest,
      entries: layer.entries,
      ...(layer.landmark && { landmark: layer.landmark }),
      prioritizedFiles: layer.prioritizedFiles,
      prefetchBytes: layer.prefetchBytes,
      compression: layer.compression,
    }
  })
}

/** Pushes the image of tables of contents that lie outside: before the image that cannot be read without them. */
async function pushTocImage(
  converted: readonly ConvertedImage[],
  target: Target,
  signal: AbortSignal,
): Promise<{ reference: string; digest: Digest }> {
  const tables = new Map<Digest, { digest: Digest; size: number }>()
  for (const { layers } of converted) {
    for (const { digest, externalToc } of layers) if (externalToc) tables.set(digest, externalToc)
  }
  const { config, manifest } = assembleTocImage(tables)
  await target.repository.pushBytes(config.bytes, { signal })
  await target.moveTag(manifest, signal)
  return { reference: target.name, digest: manifest.descriptor.digest }
}

/** Pushes everything that has no tag, then moves the tag. Answers what the tag stands for now. */
async function push(
  opened: OpenedReference,
  converted: readonly ConvertedImage[],
  attestations: readonly Descriptor[],
  target: Target,
  signal: AbortSignal,
): Promise<Descriptor> {
  await together(converted, signal, (one, _, either) =>
    target.repository.pushBytes(one.config.bytes, { signal: either }),
  )
  if (opened.document.kind === 'manifest') {
    const [only] = converted
    if (!only) throw new RangeError('a manifest is one image')
    await target.moveTag(only.manifest, signal)
    return only.manifest.descriptor
  }
  for (const { manifest } of converted) await target.putByDigest(manifest, signal)
  for (const attestation of attestations) {
    await copyAttestation(attestation, opened.repository, target.repository, signal)
  }
  const index = assembleIndex(
    opened.document.index,
    new Map(converted.map((one) => [one.image.descriptor.digest, one.manifest.descriptor])),
    new Set(attestations.map(({ digest }) => digest)),
  )
  await target.moveTag(index, signal)
  return index.descriptor
}
