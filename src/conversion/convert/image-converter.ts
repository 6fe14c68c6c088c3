import type { Scratch } from '../../bytes/scratch.ts'
import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import { assertDistinctNames } from '../../estargz/toc/non-utf8-names.ts'
import type { Descriptor } from '../../oci/documents.ts'
import type { ConversionPlan } from '../conversion-plan.ts'
import { ConversionError, withSide } from '../errors.ts'
import { assembleImage } from '../output/assemble-image.ts'
import type { ConvertedImage } from '../output/converted-image.ts'
import type { ProvenanceAnnotations } from '../output/provenance-annotations.ts'
import type { LayerProgressTracker } from '../progress-tracker.ts'
import { blobFormatFor, compressionPolicyFor } from '../request.ts'
import type { ConvertedLayer, LayerOutcome } from '../reuse/converted-layer.ts'
import { KnownLayers } from '../reuse/known-layers.ts'
import { LayerReuse } from '../reuse/layer-reuse.ts'
import type { Image } from '../source/image.ts'
import { imageWarnings } from '../warnings.ts'
import { ImageArranger } from './image-arranger.ts'
import { LayerArranger } from './layer-arranger.ts'
import { LayerPosition } from './layer-position.ts'
import { LayerPublisher } from './layer-publisher.ts'
import { toLayerReports } from './layer-reports.ts'
import { withLayerSpan } from './layer-span.ts'
import { LayerStreamer } from './layer-streamer.ts'

/** Converts the images of one conversion. */
export class ImageConverter {
  readonly #plan: ConversionPlan
  readonly #annotations: ProvenanceAnnotations
  readonly #streamer: LayerStreamer
  readonly #arranger: ImageArranger

  constructor(plan: ConversionPlan, annotations: ProvenanceAnnotations, scratch: Scratch) {
    this.#plan = plan
    this.#annotations = annotations
    const { request, services, source, target, tally } = plan
    const context = {
      services,
      source: source.repository,
      target: target.repository,
      known: new KnownLayers({ services, source: source.repository }),
      scratch,
      tally,
      settings: {
        limits: services.limits,
        format: blobFormatFor(request.options),
        compression: compressionPolicyFor(request.options),
      },
    }
    const reuse = new LayerReuse(context)
    const publisher = new LayerPublisher(context)
    this.#streamer = new LayerStreamer(context, reuse, publisher)
    this.#arranger = new ImageArranger(plan, scratch, new LayerArranger(context, reuse, publisher))
  }

  /** Converts an image and pushes its layers. @throws ConversionError INVALID_IMAGE; SideError */
  async convert(image: Image): Promise<ConvertedImage> {
    const { request, source, recordFor, progress } = this.#plan
    const layerProgress = image.manifest.layers.map((layer) => progress.addLayer(image.platform, layer))
    const record = recordFor?.(image)
    const result = record
      ? await this.#arranger.arrange(image, record, layerProgress)
      : { layers: await this.#streamLayers(image, layerProgress) }
    const layers = result.layers.map(({ layer }) => layer)
    assertDiffIds(image, layers)
    await withSide('source', async () => assertDistinctNames(layers.map(({ oddNames }) => oddNames)))
    const recordDigest = record && this.#annotations.recordDigest(record.entries)
    const isTagged = source.document.kind === 'manifest'
    const assembled = assembleImage(image, layers, request.options?.reader, (manifest) =>
      this.#annotations.annotate(manifest, image.descriptor, { record: recordDigest, isTagged }),
    )
    const warnings = imageWarnings(request.options)
    return {
      image,
      layers,
      recordDigest,
      ...assembled,
      report: {
        platform: image.platform,
        source: image.descriptor.digest,
        digest: assembled.manifest.descriptor.digest,
        ...('use' in result && { record: result.use }),
        layers: toLayerReports(image, result.layers),
        ...(warnings.length > 0 && { warnings }),
      },
    }
  }

  async #streamLayers(image: Image, progress: readonly LayerProgressTracker[]): Promise<LayerOutcome[]> {
    const { layers } = image.manifest
    const positioned = LayerPosition.forLayers(layers).map((position, i) => ({
      position,
      descriptor: layers[i] as Descriptor,
    }))
    try {
      return await allOrAbort(positioned, this.#plan.signal, async (layer, i, signal) => {
        const outcome = await withLayerSpan('convert layer', layer.descriptor, () =>
          this.#streamer.stream({ ...layer, progress: progress[i], signal }),
        )
        progress[i]?.finish(outcome.layer.size)
        return outcome
      })
    } finally {
      this.#streamer.release()
    }
  }
}

/**
 * The config vouches for the content of the layers; a container runtime rejects an image with other diffIDs,
 * too.
 */
function assertDiffIds({ config, manifest }: Image, layers: readonly ConvertedLayer[]): void {
  for (const [i, layer] of layers.entries()) {
    const expected = config.rootfs.diff_ids[i]
    if (layer.sourceDiffId === expected) continue
    throw new ConversionError(
      'INVALID_IMAGE',
      `layer ${manifest.layers[i]?.digest} of the source has the diffID ${layer.sourceDiffId}, but its config has ${expected}`,
    )
  }
}
