import type { Scratch } from '../bytes/scratch.ts'
import type { Descriptor } from '../oci/documents.ts'
import { layerCompression } from '../oci/media-types.ts'
import type { MeasuredLayer } from '../records/measured-layer.ts'
import type { RecordEntry } from '../records/model.ts'
import { type ResolvedRecord, resolveRecord } from '../records/resolve.ts'
import type { MadeLayer } from './converted-layer.ts'
import type { Image } from './image.ts'
import type { LayerMaker } from './layer-maker.ts'
import { measuredByIndex } from './measured-by-index.ts'
import type { LayerSteps } from './progress.ts'
import { together } from './together.ts'

/** How much scratch the members of a layer take, by its size. */
const SCRATCH_FACTOR = { none: 1, gzip: 1.5, zstd: 2 }

/** The converted layers, where the record's paths led, and what was in the source layers. */
export type ArrangedImage = {
  readonly layers: MadeLayer[]
  readonly resolved: ResolvedRecord
  readonly measured: MeasuredLayer[]
}

/**
 * Converts the layers of an image with a record: first all of them are looked into, because where a path leads is known
 * only when all layers are.
 * @param steps one for each layer
 */
export async function arrangeImage(
  image: Image,
  entries: readonly RecordEntry[],
  o: {
    readonly maker: LayerMaker
    readonly scratch: Scratch
    readonly steps: readonly LayerSteps[]
    readonly signal: AbortSignal
  },
): Promise<ArrangedImage> {
  const { layers } = image.manifest
  const { maker, steps } = o
  await o.scratch.expect(scratchBytes(layers))
  try {
    const known = await together(layers, o.signal, (layer, i, signal) =>
      maker.know({ layer, steps: steps[i], signal }),
    )
    const measured = layers.flatMap((layer, i) => (known[i] ? measuredByIndex(layer, known[i].index) : []))
    const resolved = resolveRecord({
      entries,
      layers: measured.map((layer) => layer.entries),
      manifestDigest: image.descriptor.digest,
    })
    const arranged = await together(layers, o.signal, async (layer, i, signal) => {
      const one = known[i]
      if (!one) throw new RangeError(`layer ${i} is not known`)
      const made = await maker.arrange(one, resolved.prioritized[i] ?? [], { layer, steps: steps[i], signal })
      steps[i]?.done(made.layer.size)
      return made
    })
    return { layers: arranged, resolved, measured }
  } finally {
    await maker.release()
  }
}

function scratchBytes(layers: readonly Descriptor[]): number {
  const each = layers.map(
    ({ size, mediaType }) => size * SCRATCH_FACTOR[layerCompression(mediaType) ?? 'zstd'],
  )
  return Math.ceil(each.reduce((sum, bytes) => sum + bytes, 0))
}
