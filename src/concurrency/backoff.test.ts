import { expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'

it('doubles from the first wait to the longest', () => {
  const steady = { firstMs: 100, longestMs: 1000, least: 1 }
  expect([1, 2, 3, 4, 5, 50].map((failures) => backoffMs(steady, failures, 0.3))).toEqual([
    100, 200, 400, 800, 1000, 1000,
  ])
})

it('has as much jitter as it is told', () => {
  const full = { firstMs: 100, longestMs: 1000, least: 0 }
  expect(backoffMs(full, 2, 0)).toBe(0)
  expect(backoffMs(full, 2, 0.999)).toBe(200)
  expect(backoffMs({ ...full, least: 0.5 }, 2, 0)).toBe(100)
})
