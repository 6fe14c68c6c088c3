import { expect, it } from 'vitest'
import type { RecordUse } from './record-use.ts'
import { ReportBudget } from './report-budget.ts'

const MIB = 2 ** 20
const fetched = { bytes: 0, requestCount: 0 }

/** The report on an image with a number of missing paths and as many hidden paths. */
function useOf(paths: number, name: (n: number) => string, nearest?: string): RecordUse {
  const names = Array.from({ length: paths }, (_, n) => name(n))
  return {
    entryCount: 2 * paths,
    pathCount: 2 * paths,
    placedCount: 0,
    followedCount: 0,
    notFoundCount: paths,
    notFound: names.map((path) => ({ path, ...(nearest !== undefined && { nearest }) })),
    hiddenCount: paths,
    hidden: names,
    layers: [],
    imageBytes: 0,
    prefetchBytes: 0,
    exact: true,
    start: { withRecord: fetched, withoutRecord: fetched, wholePull: fetched },
  }
}

const trimAll = (uses: readonly RecordUse[]) => {
  const budget = new ReportBudget()
  return uses.map((use) => budget.trim(use))
}
const count = (uses: readonly RecordUse[], names: 'notFound' | 'hidden') =>
  uses.reduce((sum, use) => sum + use[names].length, 0)

it('a report on one image names a thousand paths of each kind', () => {
  const [trimmed] = trimAll([useOf(1500, (n) => `no/${n}`)])
  expect(trimmed).toMatchObject({ notFoundCount: 1500, hiddenCount: 1500 })
  expect([trimmed?.notFound.length, trimmed?.hidden.length]).toEqual([1000, 1000])
  const few = useOf(10, (n) => `no/${n}`, 'near')
  expect(trimAll([few])).toEqual([few])
})

it('a report on many images names no more, and counts all paths of each image', () => {
  const trimmed = trimAll(Array.from({ length: 100 }, () => useOf(1000, (n) => `no/such/file-${n}`)))
  expect([count(trimmed, 'notFound'), count(trimmed, 'hidden')]).toEqual([1000, 1000])
  for (const { notFoundCount, hiddenCount } of trimmed)
    expect([notFoundCount, hiddenCount]).toEqual([1000, 1000])
  expect(trimmed[0]?.notFound[0]).toEqual({ path: 'no/such/file-0' })
})

it.each([
  ['long', (n: number) => `${n}/${'x'.repeat(4000)}`, 'y'.repeat(4000)],
  [
    'full of characters that JSON escapes',
    (n: number) => `${n}/${'\u0001\ud800'.repeat(1000)}`,
    '\u0002'.repeat(4000),
  ],
  ['in characters of several bytes', (n: number) => `${n}/${'\u{1f433}'.repeat(1000)}`, 'é'.repeat(2000)],
])('names that are %s take at most a megabyte, including the nearest names', (_, name, nearest) => {
  const trimmed = trimAll(Array.from({ length: 100 }, () => useOf(1000, name, nearest)))
  expect(Buffer.byteLength(JSON.stringify(trimmed))).toBeLessThan(MIB + 100_000)
  expect(Buffer.byteLength(JSON.stringify(trimmed))).toBeGreaterThan(MIB - 50_000)
})
