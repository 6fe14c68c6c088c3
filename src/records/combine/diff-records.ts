import { z } from 'zod'
import { RecordEntry } from '../model.ts'
import { distinctEntries } from './record-merger.ts'

const ExclusiveEntries = z.object({
  entryCount: z.int().nonnegative(),
  entries: z.array(RecordEntry).describe('In the order of that record; at most `limit`.'),
})

export const RecordDiff = z
  .object({
    same: z.boolean().describe('Whether both records have the same paths in the same order.'),
    commonCount: z.int().nonnegative().describe('The number of paths that both records have.'),
    movedCount: z
      .int()
      .nonnegative()
      .describe('The number of common paths that have to move to turn one order into the other.'),
    onlyInA: ExclusiveEntries,
    onlyInB: ExclusiveEntries,
  })
  .meta({ id: 'RecordDiff', description: 'The differences between record A and record B.' })
export type RecordDiff = z.infer<typeof RecordDiff>

/** Compares the distinct paths of two records. @param limit on the listed entries of each record */
export function diffRecords(a: readonly RecordEntry[], b: readonly RecordEntry[], limit: number): RecordDiff {
  const [inA, inB] = [distinctEntries(a), distinctEntries(b)]
  const findExclusive = (own: Map<string, RecordEntry>, other: Map<string, RecordEntry>) => {
    const entries = [...own].filter(([key]) => !other.has(key)).map(([, entry]) => entry)
    return { entryCount: entries.length, entries: entries.slice(0, limit) }
  }
  const [onlyInA, onlyInB] = [findExclusive(inA, inB), findExclusive(inB, inA)]
  const positionsInB = new Map([...inB.keys()].map((key, position) => [key, position]))
  const commonPositions = [...inA.keys()].flatMap((key) => positionsInB.get(key) ?? [])
  const movedCount = commonPositions.length - longestIncreasingSubsequence(commonPositions)
  const same = movedCount === 0 && onlyInA.entryCount === 0 && onlyInB.entryCount === 0
  return { same, commonCount: commonPositions.length, movedCount, onlyInA, onlyInB }
}

/** Returns the length of the longest increasing subsequence: of the entries that need not move. */
function longestIncreasingSubsequence(numbers: readonly number[]): number {
  /** The smallest last number of an increasing subsequence of each length. */
  const lastNumbers: number[] = []
  for (const number of numbers) {
    let [low, high] = [0, lastNumbers.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((lastNumbers[middle] ?? 0) < number) low = middle + 1
      else high = middle
    }
    lastNumbers[low] = number
  }
  return lastNumbers.length
}
