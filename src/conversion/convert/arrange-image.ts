import type { Scratch } from '../../bytes/scratch.ts'
import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { layerCompression } from '../../oci/media-types.ts'
import { withPrefetched } from '../../records/resolve/assess-record.ts'
import type { RecordUse } from '../../records/resolve/record-use.ts'
import type { LayerStages } from '../progress.ts'
import { applyRecord } from '../record/apply-record.ts'
import type { Profiled } from '../record/profiled-image.ts'
import type { RequestTally } from '../request-bounds.ts'
import type { LayerOutcome } from '../reuse/converted-layer.ts'
import type { ConversionServices } from '../services.ts'
import type { Image, OpenedReference } from '../source/images.ts'
import { inSourceOrder, type ListedLayer } from '../source/listed-layer.ts'
import { directoriesIn, type LayerConverter } from './layer-converter.ts'
import { LayerPosition } from './layer-position.ts'

/** How much scratch the members of a layer take, by its size. */
const SCRATCH_FACTOR = { none: 1, gzip: 1.5, zstd: 2 }

/** What an image is arranged with; `steps`: one for each layer. */
type Parts = {
  readonly services: ConversionServices
  readonly opened: OpenedReference
  readonly maker: LayerConverter
  readonly scratch: Scratch
  readonly tally: RequestTally
  readonly steps: readonly LayerStages[]
  /** Whether the interpreters of programs are placed, too. */
  readonly interpreters: boolean
  readonly signal: AbortSignal
}

/**
 * Converts the layers of an image with a record, and reports on it: first all of them are looked into, because where a
 * path leads is known only when all layers are.
 */
export async function arrangeImage(
  image: Image,
  record: Profiled,
  its: Parts,
): Promise<{ readonly layers: LayerOutcome[]; readonly use: RecordUse }> {
  const { layers } = image.manifest
  const { services, opened, maker, scratch, tally, steps, interpreters, signal } = its
  await scratch.expect(scratchBytes(layers))
  try {
    const known = await allOrAbort(layers, signal, (layer, i, either) =>
      maker.know({ layer, steps: steps[i], signal: either }),
    )
    const listed = known.map(({ index, members }, i): ListedLayer => {
      const { digest, size } = itemAt(layers, i)
      // What a start without the record costs does not depend on the order that an earlier record gave.
      const columns = members.kind === 'split' ? index.columns : inSourceOrder(index.columns)
      return { digest, size, columns, exact: true }
    })
    const against = { opened, image, layers: listed }
    const listing = { ...services, tally }
    const { use, prioritized } = await applyRecord(record, against, listing, {
      scan: false,
      interpreters,
      signal,
    })
    const places = LayerPosition.of(layers)
    for (const [i, { index }] of known.entries()) places[i]?.tell(directoriesIn(index))
    const made = await allOrAbort(known, signal, async (one, i, either) => {
      const layer = itemAt(layers, i)
      const source = { layer, place: itemAt(places, i), steps: steps[i], signal: either }
      const done = await maker.arrange(one, prioritized[i] ?? [], source)
      steps[i]?.done(done.layer.size)
      return done
    })
    const prefetched = made.map(({ layer }) => layer.prefetchBytes)
    return { layers: made, use: withPrefetched(use, prefetched) }
  } finally {
    await maker.release()
  }
}

function itemAt<Item>(items: readonly Item[], i: number): Item {
  const item = items[i]
  if (item === undefined) throw new RangeError(`there is no layer ${i}`)
  return item
}

function scratchBytes(layers: readonly Descriptor[]): number {
  const each = layers.map(
    ({ size, mediaType }) => size * SCRATCH_FACTOR[layerCompression(mediaType) ?? 'zstd'],
  )
  return Math.ceil(each.reduce((sum, bytes) => sum + bytes, 0))
}
