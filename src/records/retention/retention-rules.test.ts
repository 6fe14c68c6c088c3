import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Retainable, type RetentionRules, selectRemovals } from './retention-rules.ts'

const DAY = 24 * 60 * 60 * 1000
const NOW = 1_000 * DAY
const item = (days: number, fields: Partial<Retainable> = {}) => ({
  image: 'r.test/app:1',
  workload: 'w',
  createdAt: NOW - days * DAY,
  isPublished: false,
  days,
  ...fields,
})
const removedDays = (items: ReturnType<typeof item>[], rules: RetentionRules) =>
  selectRemovals(items, rules, NOW).map(({ item: { days } }) => days)

it('keeps the newest of each image and workload', () => {
  const items = [item(1), item(2), item(3), item(9, { workload: 'x' }), item(8, { image: 'r.test/app:2' })]
  expect(removedDays(items, { keepNewest: 1 })).toEqual([3, 2])
  expect(removedDays(items, { keepNewest: 0 })).toEqual([9, 8, 3, 2, 1])
})

it('returns the older one first even if both are of the same millisecond', () => {
  const items = [item(2, { workload: 'newer' }), item(2, { workload: 'older' })]
  const workloads = selectRemovals(items, { keepNewest: 0 }, NOW).map((one) => one.item.workload)
  expect(workloads).toEqual(['older', 'newer'])
})

it('groups by tag, without the digest', () => {
  const digest = `sha256:${'0'.repeat(64)}`
  expect(removedDays([item(1), item(2, { image: `r.test/app:1@${digest}` })], { keepNewest: 1 })).toEqual([2])
})

it('keeps young records, and the newest at any age', () => {
  const items = [item(1), item(20), item(30), item(40)]
  expect(removedDays(items, { maxAgeDays: 25 })).toEqual([40, 30])
  expect(removedDays(items, { maxAgeDays: 25, keepNewest: 3 })).toEqual([40])
  expect(removedDays(items.slice(3), { maxAgeDays: 25, keepNewest: 1 })).toEqual([])
})

it('keeps published records by default, and records of unknown age', () => {
  const items = [item(30, { isPublished: true }), item(40, { createdAt: undefined }), item(50)]
  expect(removedDays(items, { maxAgeDays: 1 })).toEqual([50])
  expect(removedDays(items, { maxAgeDays: 1, keepPublished: false })).toEqual([50, 30])
  expect(selectRemovals(items, { maxAgeDays: 1 }, NOW)[0]?.reason).toBe('older than 1 days')
})

it('never removes one of the newest, or a young one', () => {
  const retainable = fc.record({
    days: fc.nat(100),
    workload: fc.constantFrom('a', 'b'),
    isPublished: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.array(retainable),
      fc.nat(4),
      fc.integer({ min: 1, max: 60 }),
      (all, keepNewest, maxAgeDays) => {
        const items = all.map(({ days, ...fields }) => item(days, fields))
        for (const { item: one } of selectRemovals(items, { keepNewest, maxAgeDays }, NOW)) {
          const newer = items.filter(({ workload, days }) => workload === one.workload && days <= one.days)
          expect(newer.length).toBeGreaterThan(keepNewest)
          expect(one.days).toBeGreaterThan(maxAgeDays)
          expect(one.isPublished).toBe(false)
        }
      },
    ),
  )
})
