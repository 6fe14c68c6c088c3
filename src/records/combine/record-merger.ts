import { RecordError } from '../errors.ts'
import { entryKey, MAX_RECORD_ENTRIES, MAX_RECORD_GLOBS, type RecordEntry } from '../model.ts'
import type { MergeStrategy } from '../provenance.ts'

/** Distinct paths of all records together, which are in memory during the merge. */
const MAX_PATHS = 2 * MAX_RECORD_ENTRIES

export type MergeOptions = {
  readonly strategy: MergeStrategy
  /** For a frequency merge: the share of records that must have a path, greater than 0 and at most 1. */
  readonly threshold?: number | undefined
}

/** A path of the merged records. */
type MergedPath = {
  entry: RecordEntry
  /** The number of records that have the path. */
  recordCount: number
  /** The earliest position in any record, and the first record with that position. */
  position: number
  record: number
}

/** Returns the first entry of each path, by {@link entryKey}. */
export function distinctEntries(entries: readonly RecordEntry[]): Map<string, RecordEntry> {
  const distinct = new Map<string, RecordEntry>()
  for (const entry of entries) {
    const key = entryKey(entry)
    if (!distinct.has(key)) distinct.set(key, entry)
  }
  return distinct
}

/**
 * Merges records that are added one after the other. A path is ordered by its earliest position in any
 * record, and paths with the same position by the order of their records. Merging a record with itself
 * therefore changes nothing.
 */
export class RecordMerger {
  readonly #paths = new Map<string, MergedPath>()
  #recordCount = 0

  /** @throws RecordError RECORD_TOO_LARGE */
  add(entries: readonly RecordEntry[]): void {
    const record = this.#recordCount++
    let position = 0
    for (const [key, entry] of distinctEntries(entries)) {
      const path = this.#paths.get(key)
      if (path === undefined) this.#paths.set(key, { entry, recordCount: 1, position, record })
      else {
        path.recordCount += 1
        path.entry = mergeEntries(path.entry, entry)
        if (position < path.position) Object.assign(path, { position, record })
      }
      position += 1
    }
    if (this.#paths.size > MAX_PATHS) {
      throw new RecordError('RECORD_TOO_LARGE', `the records have more than ${MAX_PATHS} paths together`)
    }
  }

  /**
   * Returns the entries that the strategy selects, in the order of earliest access.
   * @throws RecordError RECORD_TOO_LARGE
   */
  finish(options: MergeOptions): RecordEntry[] {
    const minRecords = minRecordCount(options, this.#recordCount)
    const selected = [...this.#paths.values()].filter(({ recordCount }) => recordCount >= minRecords)
    selected.sort((a, b) => a.position - b.position || a.record - b.record)
    const globs = selected.filter(({ entry }) => entry.glob).length
    if (selected.length > MAX_RECORD_ENTRIES || globs > MAX_RECORD_GLOBS) {
      throw new RecordError(
        'RECORD_TOO_LARGE',
        `the merged record has ${selected.length} entries and ${globs} globs; at most ${MAX_RECORD_ENTRIES} and ${MAX_RECORD_GLOBS} are allowed`,
      )
    }
    return selected.map(({ entry }) => entry)
  }
}

function minRecordCount({ strategy, threshold = 1 }: MergeOptions, recordCount: number): number {
  if (strategy === 'union') return 1
  if (strategy === 'intersection') return recordCount
  // Tolerates rounding: shares such as 2/3 are not exact in binary.
  return Math.max(1, Math.ceil(threshold * recordCount - 1e-9))
}

/** Keeps `manifestDigest` and `layerIndex` only if both entries have the same. */
function mergeEntries(a: RecordEntry, b: RecordEntry): RecordEntry {
  if (a.manifestDigest === b.manifestDigest && a.layerIndex === b.layerIndex) return a
  return { path: a.path, ...(a.glob && { glob: true }) }
}
