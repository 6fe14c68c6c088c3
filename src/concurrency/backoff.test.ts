import { expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'

const withShare = (minShare: number) => ({ initialMs: 100, maxMs: 1000, minShare })

it('doubles from the initial delay to the maximum', () => {
  expect([1, 2, 3, 4, 5, 50].map((failures) => backoffMs(withShare(1), failures, 0.3))).toEqual([
    100, 200, 400, 800, 1000, 1000,
  ])
})

it('stays at the maximum however many failures there were', () => {
  for (const failures of [1_000, 1e6]) expect(backoffMs(withShare(1), failures, 0)).toBe(1000)
})

it('applies as much jitter as the minimum share leaves', () => {
  expect(backoffMs(withShare(0), 2, 0)).toBe(0)
  expect(backoffMs(withShare(0), 2, 0.999)).toBe(200)
  expect(backoffMs(withShare(0.5), 2, 0)).toBe(100)
  expect(backoffMs(withShare(0.5), 50, 0.999)).toBe(1000)
})
