import { z } from 'zod'
import { RecordEntry } from '../model.ts'
import { distinctEntries } from './merge.ts'

const Side = z.object({
  count: z.int().nonnegative(),
  entries: z.array(RecordEntry).describe('In the order of that record; at most `limit`.'),
})

/** How two records differ. */
export const RecordDiff = z
  .object({
    same: z.boolean().describe('Whether both have the same paths in the same order.'),
    common: z.int().nonnegative().describe('Paths that both have.'),
    moved: z.int().nonnegative().describe('Of the common paths, those that stand in another order.'),
    onlyInA: Side,
    onlyInB: Side,
  })
  .meta({ id: 'RecordDiff', description: 'How record B differs from record A.' })
export type RecordDiff = z.infer<typeof RecordDiff>

/** Compares the paths of two records, duplicates left out. @param limit of the entries that are named */
export function diffRecords(a: readonly RecordEntry[], b: readonly RecordEntry[], limit: number): RecordDiff {
  const [inA, inB] = [distinctEntries(a), distinctEntries(b)]
  const onlyIn = (one: Map<string, RecordEntry>, other: Map<string, RecordEntry>) => {
    const entries = [...one].filter(([key]) => !other.has(key)).map(([, entry]) => entry)
    return { count: entries.length, entries: entries.slice(0, limit) }
  }
  const [onlyInA, onlyInB] = [onlyIn(inA, inB), onlyIn(inB, inA)]
  const places = new Map([...inB.keys()].map((key, place) => [key, place]))
  const common = [...inA.keys()].flatMap((key) => places.get(key) ?? [])
  const moved = common.length - longestRise(common)
  const same = moved === 0 && onlyInA.count === 0 && onlyInB.count === 0
  return { same, common: common.length, moved, onlyInA, onlyInB }
}

/** The length of the longest increasing subsequence: what need not move. */
function longestRise(numbers: readonly number[]): number {
  /** The least number that a rise of each length ends with. */
  const ends: number[] = []
  for (const number of numbers) {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((ends[middle] ?? 0) < number) low = middle + 1
      else high = middle
    }
    ends[low] = number
  }
  return ends.length
}
