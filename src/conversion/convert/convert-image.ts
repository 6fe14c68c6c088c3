import type { Scratch } from '../../bytes/scratch.ts'
import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import { assertReadableNames } from '../../estargz/toc/unreadable-names.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { ConversionError, withSide } from '../errors.ts'
import { type AssembledImage, assembleImage } from '../output/assemble-image.ts'
import type { ConversionAnnotations } from '../output/conversion-annotations.ts'
import type { Target } from '../output/target.ts'
import type { LayerStages, Progress } from '../progress.ts'
import type { RecordFor } from '../record/profiled-image.ts'
import type { ImageReport, LayerReport } from '../report.ts'
import { type ConversionRequest, compressionOf, formatOf } from '../request.ts'
import type { RequestTally } from '../request-bounds.ts'
import type { ConvertedLayer, LayerOutcome } from '../reuse/converted-layer.ts'
import type { ConversionServices } from '../services.ts'
import type { Image, OpenedReference } from '../source/images.ts'
import { imageWarnings, layerWarnings } from '../warnings.ts'
import { arrangeImage } from './arrange-image.ts'
import { LayerConverter } from './layer-converter.ts'
import { LayerPosition } from './layer-position.ts'

/** An image whose layers lie in the target's repository. */
export type ConvertedImage = AssembledImage & {
  readonly image: Image
  readonly layers: readonly ConvertedLayer[]
  /** The digest of its record. */
  readonly record: Digest | undefined
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
  readonly tally: RequestTally
  readonly madeOf: ConversionAnnotations
  readonly signal: AbortSignal
}

/** Converts the images of one request. */
export class ImageConversion {
  readonly #its: Parts
  readonly #maker: LayerConverter

  constructor(its: Parts) {
    this.#its = its
    const { request, services, opened, target, scratch, tally } = its
    this.#maker = new LayerConverter({
      services,
      source: opened.repository,
      target: target.repository,
      scratch,
      tally,
      settings: {
        limits: services.limits,
        format: formatOf(request.options),
        compression: compressionOf(request.options),
      },
    })
  }

  async convert(image: Image, recordOf: RecordFor | undefined): Promise<ConvertedImage> {
    const steps = image.manifest.layers.map((layer) => this.#its.progress.layer(image.platform, layer))
    const record = recordOf?.(image)
    const interpreters = this.#its.request.options?.interpreters ?? true
    const done = record
      ? await arrangeImage(image, record, { ...this.#its, maker: this.#maker, steps, interpreters })
      : { layers: await this.#stream(image, steps) }
    const layers = done.layers.map((made) => made.layer)
    checkDiffIds(image, layers)
    await withSide('source', async () => assertReadableNames(layers.map(({ oddNames }) => oddNames)))
    const { opened, madeOf, request } = this.#its
    const recordDigest = record && madeOf.record(record.entries)
    const isFinal = opened.document.kind === 'manifest'
    const assembled = assembleImage(image, layers, request.options?.reader, (manifest) =>
      madeOf.describe(manifest, image.descriptor, { record: recordDigest, isFinal }),
    )
    const warnings = imageWarnings(this.#its.request.options)
    return {
      image,
      layers,
      record: recordDigest,
      ...assembled,
      report: {
        platform: image.platform,
        source: image.descriptor.digest,
        digest: assembled.manifest.descriptor.digest,
        ...('use' in done && { record: done.use }),
        layers: layerReports(image, done.layers),
        ...(warnings.length > 0 && { warnings }),
      },
    }
  }

  async #stream(image: Image, steps: readonly LayerStages[]): Promise<LayerOutcome[]> {
    const { layers } = image.manifest
    const placed = LayerPosition.of(layers).map((place, i) => ({ place, layer: layers[i] as Descriptor }))
    try {
      return await allOrAbort(placed, this.#its.signal, async (source, i, signal) => {
        const made = await this.#maker.stream({ ...source, steps: steps[i], signal })
        steps[i]?.done(made.layer.size)
        return made
      })
    } finally {
      await this.#maker.release()
    }
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

function layerReports(image: Image, layers: readonly LayerOutcome[]): LayerReport[] {
  const seen = new Set<string>()
  return layers.map(({ layer, action }, i) => {
    const { digest = layer.sourceDiffId, size = 0, mediaType = '' } = image.manifest.layers[i] ?? {}
    const warnings = layerWarnings(layer)
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
      ...(warnings.length > 0 && { warnings }),
    }
  })
}
