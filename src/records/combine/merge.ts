import { entryKey, MAX_RECORD_ENTRIES, MAX_RECORD_GLOBS, type RecordEntry, RecordError } from '../model.ts'
import type { MergeStrategy } from '../provenance.ts'

/** Paths of all records together: what is held in memory while they are merged. */
const MAX_PATHS = 2 * MAX_RECORD_ENTRIES

/** `threshold`, of a frequency merge: the share of records that must have a path, above 0, up to 1. */
export type MergeOptions = { readonly strategy: MergeStrategy; readonly threshold?: number | undefined }

type Seen = { entry: RecordEntry; records: number; rank: number; record: number }

/** The entries of a record that count: the first of each path. */
export function distinctEntries(entries: readonly RecordEntry[]): Map<string, RecordEntry> {
  const first = new Map<string, RecordEntry>()
  for (const entry of entries) {
    const key = entryKey(entry)
    if (!first.has(key)) first.set(key, entry)
  }
  return first
}

/**
 * Puts records together, each added in turn. A path stands at the earliest place that it has in any record; where two
 * have the same, the record that was added first decides. So merging a record with itself changes nothing.
 */
export class Merger {
  readonly #seen = new Map<string, Seen>()
  #records = 0

  /** @throws RecordError RECORD_TOO_LARGE */
  add(entries: readonly RecordEntry[]): void {
    const record = this.#records++
    let rank = 0
    for (const [key, entry] of distinctEntries(entries)) {
      const seen = this.#seen.get(key)
      if (seen === undefined) this.#seen.set(key, { entry, records: 1, rank, record })
      else {
        seen.records += 1
        seen.entry = agreed(seen.entry, entry)
        if (rank < seen.rank) Object.assign(seen, { rank, record })
      }
      rank += 1
    }
    if (this.#seen.size > MAX_PATHS) {
      throw new RecordError('RECORD_TOO_LARGE', `the records have more than ${MAX_PATHS} paths together`)
    }
  }

  /** What the strategy takes, in the order of earliest access. @throws RecordError RECORD_TOO_LARGE */
  merged(options: MergeOptions): RecordEntry[] {
    const least = leastOf(options, this.#records)
    const taken = [...this.#seen.values()].filter(({ records }) => records >= least)
    taken.sort((a, b) => a.rank - b.rank || a.record - b.record)
    const globs = taken.filter(({ entry }) => entry.glob).length
    if (taken.length > MAX_RECORD_ENTRIES || globs > MAX_RECORD_GLOBS) {
      throw new RecordError(
        'RECORD_TOO_LARGE',
        `the merged record has ${taken.length} entries and ${globs} globs, of at most ${MAX_RECORD_ENTRIES} and ${MAX_RECORD_GLOBS}`,
      )
    }
    return taken.map(({ entry }) => entry)
  }
}

/** In how many records a path must be. */
function leastOf({ strategy, threshold = 1 }: MergeOptions, records: number): number {
  if (strategy === 'union') return 1
  if (strategy === 'intersection') return records
  // Shares such as 2/3 are not exact in binary.
  return Math.max(1, Math.ceil(threshold * records - 1e-9))
}

/** Where a file was seen is kept when the records say the same of it. */
function agreed(a: RecordEntry, b: RecordEntry): RecordEntry {
  if (a.manifestDigest === b.manifestDigest && a.layerIndex === b.layerIndex) return a
  return { path: a.path, ...(a.glob && { glob: true }) }
}
