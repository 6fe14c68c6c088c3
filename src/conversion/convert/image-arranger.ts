import type { Scratch } from '../../bytes/scratch.ts'
import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { layerCompression } from '../../oci/media-types.ts'
import { withActualPrefetch } from '../../records/resolve/assess-record.ts'
import type { RecordUse } from '../../records/resolve/record-use.ts'
import type { ConversionPlan } from '../conversion-plan.ts'
import type { LayerProgressTracker } from '../progress-tracker.ts'
import type { LoadedRecord } from '../record/loaded-record.ts'
import { RecordApplier } from '../record/record-applier.ts'
import type { LayerOutcome } from '../reuse/converted-layer.ts'
import type { Image } from '../source/image.ts'
import { LayerLister } from '../source/layer-lister.ts'
import { inSourceOrder, type ListedLayer } from '../source/listed-layer.ts'
import { directoriesFromIndex, type IndexedLayer, type LayerArranger } from './layer-arranger.ts'
import { LayerPosition } from './layer-position.ts'
import { withIndexSpan, withLayerSpan } from './layer-span.ts'

/**
 * The estimated size of the split members of a layer on scratch disk, as a multiple of the size of its blob.
 */
const SCRATCH_FACTORS = { none: 1, gzip: 1.5, zstd: 2 }

/** Converts images with records: applies the record and arranges the layers. */
export class ImageArranger {
  readonly #plan: ConversionPlan
  readonly #scratch: Scratch
  readonly #layers: LayerArranger
  readonly #applier: RecordApplier

  constructor(plan: ConversionPlan, scratch: Scratch, layers: LayerArranger) {
    this.#plan = plan
    this.#scratch = scratch
    this.#layers = layers
    const { imageReader, services, tally, signal } = plan
    const { threads, limits } = services
    this.#applier = new RecordApplier({
      images: imageReader,
      layers: new LayerLister({ threads, limits, tally }),
      threads,
      limits,
      maxSteps: services.maxRecordSteps,
      reportBudget: tally.reportBudget,
      signal,
    })
  }

  /** @param progress one for each layer @throws ScratchFullError before anything is downloaded; SideError */
  async arrange(
    image: Image,
    record: LoadedRecord,
    progress: readonly LayerProgressTracker[],
  ): Promise<{ readonly layers: LayerOutcome[]; readonly use: RecordUse }> {
    const { request, source, signal } = this.#plan
    const descriptors = image.manifest.layers
    await this.#scratch.assertFits(estimateScratchBytes(descriptors))
    try {
      const indexed = await allOrAbort(descriptors, signal, (descriptor, i, layerSignal) =>
        withIndexSpan(descriptor, () =>
          this.#layers.indexLayer({ descriptor, progress: progress[i], signal: layerSignal }),
        ),
      )
      const layers = indexed.map((layer, i) => toListedLayer(itemAt(descriptors, i), layer))
      const { use, prioritized } = await this.#applier.apply(
        record,
        { opened: source, image, layers },
        { scan: false, interpreters: request.options?.interpreters ?? true },
      )
      const positions = LayerPosition.forLayers(descriptors)
      for (const [i, { index }] of indexed.entries()) {
        positions[i]?.setDirectories(directoriesFromIndex(index))
      }
      const outcomes = await allOrAbort(indexed, signal, async (layer, i, layerSignal) => {
        const descriptor = itemAt(descriptors, i)
        const position = itemAt(positions, i)
        const outcome = await withLayerSpan('arrange layer', descriptor, () =>
          this.#layers.arrange(layer, prioritized[i] ?? [], {
            descriptor,
            position,
            progress: progress[i],
            signal: layerSignal,
          }),
        )
        progress[i]?.finish(outcome.layer.size)
        return outcome
      })
      const prefetchBytes = outcomes.map(({ layer }) => layer.prefetchBytes)
      return { layers: outcomes, use: withActualPrefetch(use, prefetchBytes) }
    } finally {
      await this.#layers.release()
    }
  }
}

function toListedLayer({ digest, size }: Descriptor, { index, members }: IndexedLayer): ListedLayer {
  // The estimate for a start without the record must not depend on the order that an earlier record gave.
  const columns = members.kind === 'split' ? index.columns : inSourceOrder(index.columns)
  return { digest, size, columns, hasExactOffsets: true }
}

function itemAt<Item>(items: readonly Item[], i: number): Item {
  const item = items[i]
  if (item === undefined) throw new RangeError(`there is no layer ${i}`)
  return item
}

function estimateScratchBytes(layers: readonly Descriptor[]): number {
  const estimates = layers.map(
    ({ size, mediaType }) => size * SCRATCH_FACTORS[layerCompression(mediaType) ?? 'zstd'],
  )
  return Math.ceil(estimates.reduce((sum, bytes) => sum + bytes, 0))
}
