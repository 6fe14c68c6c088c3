import { expect, it } from 'vitest'
import type { RecordUse } from './record-use.ts'
import { ReportBudget } from './report-budget.ts'

const MIB = 2 ** 20
const fetched = { bytes: 0, requests: 0 }

/** An image that has none of so many recorded paths, and hides as many. */
function useOf(paths: number, name: (n: number) => string, nearest?: string): RecordUse {
  const names = Array.from({ length: paths }, (_, n) => name(n))
  return {
    entries: 2 * paths,
    paths: 2 * paths,
    placed: 0,
    followed: 0,
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

const cutAll = (uses: readonly RecordUse[]) => {
  const room = new ReportBudget()
  return uses.map((use) => room.cut(use))
}
const count = (uses: readonly RecordUse[], names: 'notFound' | 'hidden') =>
  uses.reduce((sum, use) => sum + use[names].length, 0)

it('a report of one image names a thousand paths of each kind', () => {
  const [cut] = cutAll([useOf(1500, (n) => `no/${n}`)])
  expect(cut).toMatchObject({ notFoundCount: 1500, hiddenCount: 1500 })
  expect([cut?.notFound.length, cut?.hidden.length]).toEqual([1000, 1000])
  const few = useOf(10, (n) => `no/${n}`, 'near')
  expect(cutAll([few])).toEqual([few])
})

it('a report of many images names no more, and says for each how many there are', () => {
  const cut = cutAll(Array.from({ length: 100 }, () => useOf(1000, (n) => `no/such/file-${n}`)))
  expect([count(cut, 'notFound'), count(cut, 'hidden')]).toEqual([1000, 1000])
  for (const { notFoundCount, hiddenCount } of cut) expect([notFoundCount, hiddenCount]).toEqual([1000, 1000])
  expect(cut[0]?.notFound[0]).toEqual({ path: 'no/such/file-0' })
})

it.each([
  ['long', (n: number) => `${n}/${'x'.repeat(4000)}`, 'y'.repeat(4000)],
  [
    'of characters that JSON escapes',
    (n: number) => `${n}/${'\u0001\ud800'.repeat(1000)}`,
    '\u0002'.repeat(4000),
  ],
  ['of several bytes a character', (n: number) => `${n}/${'\u{1f433}'.repeat(1000)}`, 'é'.repeat(2000)],
])('names that are %s take a megabyte at most, with those that are near', (_, name, nearest) => {
  const cut = cutAll(Array.from({ length: 100 }, () => useOf(1000, name, nearest)))
  expect(Buffer.byteLength(JSON.stringify(cut))).toBeLessThan(MIB + 100_000)
  expect(Buffer.byteLength(JSON.stringify(cut))).toBeGreaterThan(MIB - 50_000)
})
