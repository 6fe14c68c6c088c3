import type { AccessedLayer, MeasuredLayer } from './measured-layer.ts'

/** What a lazy start fetches. */
export type Fetched = { bytes: number; requests: number }

/** stargz-snapshotter 0.18.2 fetches what is read in pieces of this size (`fs/remote`, default of `chunk_size`). */
const PIECE_BYTES = 50_000
/** A compressed table of contents has about this many bytes for an entry: most of it are digests. */
const TOC_ENTRY_BYTES = 110

/** What it comes to when so many bytes of each layer are fetched up to its landmark. */
export function prefetching(prefetched: readonly number[]): Fetched {
  const bytes = prefetched.reduce((sum, one) => sum + one, 0)
  return { bytes, requests: prefetched.filter((one) => one > 0).length }
}

/**
 * What a lazy pull fetches before a start is done that reads the prioritized files, once as the layers are, and once
 * with these files first. Opening a layer takes its footer and its table of contents. Without a record every file is
 * fetched when it is read, in pieces, those that lie together in one request; with one, each layer is fetched up to
 * its landmark in one request.
 * @param prefetched bytes before the landmark of each layer, as it would be with the record
 */
export function estimateStart(
  layers: readonly AccessedLayer[],
  prefetched: readonly number[],
): { withRecord: Fetched; withoutRecord: Fetched; wholePull: Fetched } {
  const withRecord = prefetching(prefetched)
  const withoutRecord = { bytes: 0, requests: 0 }
  for (const taken of layers) {
    const opening = openingOf(taken.layer)
    add(withRecord, opening)
    add(withoutRecord, opening)
    add(withoutRecord, onDemandOf(taken))
  }
  const bytes = layers.reduce((sum, { layer }) => sum + layer.size, 0)
  return { withRecord, withoutRecord, wholePull: { bytes, requests: layers.length } }
}

/** Footer and table of contents lie at the end, so that the piece with the footer holds some of the table. */
function openingOf({ size, entries, tocOffset }: MeasuredLayer): Fetched {
  const toc = tocOffset === undefined ? entries.length * TOC_ENTRY_BYTES : size - tocOffset
  const pieces = Math.max(1, Math.ceil(toc / PIECE_BYTES))
  return { bytes: Math.min(size, pieces * PIECE_BYTES), requests: pieces === 1 ? 1 : 2 }
}

function onDemandOf({ layer: { size }, names, entries }: AccessedLayer): Fetched {
  const byName = new Map(entries.map((entry) => [entry.name, entry]))
  const there = new Set<number>()
  /** Members that were fetched: files that share one are there with it. */
  const members = new Set<number>()
  const fetched = { bytes: 0, requests: 0 }
  for (const name of names) {
    const { offset = 0, packed = 0 } = byName.get(name) ?? {}
    if (packed === 0 || members.has(offset)) continue
    members.add(offset)
    let open = false
    for (let piece = Math.floor(offset / PIECE_BYTES); piece * PIECE_BYTES < offset + packed; piece++) {
      if (there.has(piece)) {
        open = false
        continue
      }
      there.add(piece)
      if (!open) fetched.requests += 1
      open = true
      fetched.bytes += Math.max(0, Math.min(PIECE_BYTES, size - piece * PIECE_BYTES))
    }
  }
  return fetched
}

function add(to: Fetched, more: Fetched): void {
  to.bytes += more.bytes
  to.requests += more.requests
}
