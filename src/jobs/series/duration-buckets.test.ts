import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bucketOf, percentilesOf } from './duration-buckets.ts'

const SHARES = [0.5, 0.9, 0.99]

function histogram(durations: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const ms of durations) counts.set(bucketOf(ms), (counts.get(bucketOf(ms)) ?? 0) + 1)
  return counts
}

it('percentiles differ from the exact ones by at most 19 % and a millisecond', () => {
  const duration = fc.integer({ min: 0, max: 30 * 86_400_000 })
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 200 }), (durations) => {
      const sorted = durations.toSorted((a, b) => a - b)
      const estimates = percentilesOf(histogram(durations), SHARES)
      for (const [i, share] of SHARES.entries()) {
        const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0
        expect(Math.abs((estimates[i] ?? Number.NaN) - exact)).toBeLessThanOrEqual(exact * 0.19 + 1)
      }
    }),
    { examples: [[[0]]] },
  )
})

it('durations of no job have no percentiles, and clocks that run back count as no time', () => {
  expect(percentilesOf(new Map(), SHARES)).toEqual([])
  expect(bucketOf(-5)).toBe(0)
  expect(bucketOf(Number.MAX_SAFE_INTEGER)).toBe(bucketOf(2 ** 32))
})
