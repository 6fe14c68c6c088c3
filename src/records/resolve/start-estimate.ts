import type { PrioritizedLayer, SizedLayer } from './sized-layer.ts'

/** The transfers of a start: bytes fetched from the registry, and requests. */
export type FetchEstimate = { bytes: number; requestCount: number }

/**
 * stargz-snapshotter 0.18.2 fetches file content in chunks of this size (`fs/remote`, default of
 * `chunk_size`).
 */
const FETCH_CHUNK_BYTES = 50_000
/** The approximate size of an entry in a compressed table of contents; most of it is digests. */
const TOC_ENTRY_BYTES = 110

/** @param prefetchBytes bytes of each layer up to its landmark, fetched in one request per layer */
export function estimatePrefetch(prefetchBytes: readonly number[]): FetchEstimate {
  const bytes = prefetchBytes.reduce((sum, one) => sum + one, 0)
  return { bytes, requestCount: prefetchBytes.filter((one) => one > 0).length }
}

/**
 * Estimates the transfers of a start that reads the prioritized files: lazily with the layers as they are,
 * lazily with these files first, and with a full pull. To open a layer lazily, its footer and its table of
 * contents are fetched. Without a record, each file is fetched in chunks when it is read, adjacent chunks in
 * one request. With a record, each layer is fetched up to its landmark in one request.
 * @param prefetchBytes bytes before the landmark of each layer, as it would be with the record
 */
export function estimateStart(
  layers: readonly PrioritizedLayer[],
  prefetchBytes: readonly number[],
): { withRecord: FetchEstimate; withoutRecord: FetchEstimate; wholePull: FetchEstimate } {
  const withRecord = estimatePrefetch(prefetchBytes)
  const withoutRecord = { bytes: 0, requestCount: 0 }
  for (const prioritized of layers) {
    const opening = estimateOpening(prioritized.layer)
    add(withRecord, opening)
    add(withoutRecord, opening)
    add(withoutRecord, estimateOnDemand(prioritized))
  }
  const bytes = layers.reduce((sum, { layer }) => sum + layer.size, 0)
  return { withRecord, withoutRecord, wholePull: { bytes, requestCount: layers.length } }
}

/**
 * Footer and table of contents are at the end of the blob, so the chunk with the footer contains some of the
 * table.
 */
function estimateOpening({ size, entries, tocOffset }: SizedLayer): FetchEstimate {
  const tocBytes = tocOffset === undefined ? entries.length * TOC_ENTRY_BYTES : size - tocOffset
  const chunks = Math.max(1, Math.ceil(tocBytes / FETCH_CHUNK_BYTES))
  return { bytes: Math.min(size, chunks * FETCH_CHUNK_BYTES), requestCount: chunks === 1 ? 1 : 2 }
}

function estimateOnDemand({ layer: { size, entries }, indexes }: PrioritizedLayer): FetchEstimate {
  const fetchedChunks = new Set<number>()
  /** Offsets of fetched members. Small files may share a member. */
  const fetchedMembers = new Set<number>()
  const estimate = { bytes: 0, requestCount: 0 }
  for (const index of indexes) {
    const { offset = 0, compressedSize = 0 } = entries.at(index) ?? {}
    if (compressedSize === 0 || fetchedMembers.has(offset)) continue
    fetchedMembers.add(offset)
    const end = offset + compressedSize
    let continuesRequest = false
    for (let chunk = Math.floor(offset / FETCH_CHUNK_BYTES); chunk * FETCH_CHUNK_BYTES < end; chunk++) {
      if (fetchedChunks.has(chunk)) {
        continuesRequest = false
        continue
      }
      fetchedChunks.add(chunk)
      if (!continuesRequest) estimate.requestCount += 1
      continuesRequest = true
      estimate.bytes += Math.max(0, Math.min(FETCH_CHUNK_BYTES, size - chunk * FETCH_CHUNK_BYTES))
    }
  }
  return estimate
}

function add(total: FetchEstimate, summand: FetchEstimate): void {
  total.bytes += summand.bytes
  total.requestCount += summand.requestCount
}
