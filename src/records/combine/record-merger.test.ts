import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import { entryKey, MAX_RECORD_GLOBS, type RecordEntry } from '../model.ts'
import { diffRecords } from './diff-records.ts'
import { distinctEntries, type MergeOptions, RecordMerger } from './record-merger.ts'

const paths = (...names: string[]): RecordEntry[] => names.map((path) => ({ path }))

function merge(records: readonly (readonly RecordEntry[])[], options: MergeOptions): RecordEntry[] {
  const merger = new RecordMerger()
  for (const record of records) merger.add(record)
  return merger.finish(options)
}

const entry: fc.Arbitrary<RecordEntry> = fc
  .record({ path: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), glob: fc.boolean() })
  .map(({ path, glob }) => ({ path, ...(glob && { glob: true as const }) }))
const record = fc.array(entry, { maxLength: 12 })
const records = fc.array(record, { minLength: 1, maxLength: 5 })

describe('merging', () => {
  it('selects the paths of any, all, or enough records, earliest first', () => {
    const runs = [paths('a', 'b', 'c'), paths('c', 'a', 'd'), paths('a', 'd', 'x')]
    const names = (options: MergeOptions) => merge(runs, options).map(({ path }) => path)
    expect(names({ strategy: 'union' })).toEqual(['a', 'c', 'b', 'd', 'x'])
    expect(names({ strategy: 'intersection' })).toEqual(['a'])
    expect(names({ strategy: 'frequency', threshold: 2 / 3 })).toEqual(['a', 'c', 'd'])
    expect(names({ strategy: 'frequency', threshold: 0.67 })).toEqual(['a'])
  })

  it('keeps manifest digest and layer index only if the records agree', () => {
    const [first, second] = [digestOf('1'), digestOf('2')]
    const a: RecordEntry[] = [
      { path: 'x', manifestDigest: first, layerIndex: 0 },
      { path: 'y', manifestDigest: first },
    ]
    const b: RecordEntry[] = [
      { path: 'x', manifestDigest: first, layerIndex: 0 },
      { path: 'y', manifestDigest: second },
    ]
    expect(merge([a, b], { strategy: 'union' })).toEqual([a[0], { path: 'y' }])
  })

  it('has the same bounds as a record', () => {
    const globs = (name: string) =>
      Array.from({ length: MAX_RECORD_GLOBS }, (_, i) => ({ path: `${name}${i}/*`, glob: true as const }))
    const merged = () => merge([globs('a'), globs('b')], { strategy: 'union' })
    expect(merged).toThrow(expect.objectContaining({ code: 'RECORD_TOO_LARGE' }))
  })

  it('of a record with itself changes nothing', () => {
    fc.assert(
      fc.property(record, fc.constantFrom('union', 'intersection', 'frequency'), (one, strategy) => {
        const own = [...distinctEntries(one).values()]
        expect(merge([one, one, one], { strategy, threshold: 0.5 })).toEqual(own)
        expect(merge([one], { strategy, threshold: 1 })).toEqual(own)
      }),
    )
  })

  it('returns the distinct selected paths in the order of their earliest position', () => {
    fc.assert(
      fc.property(records, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, threshold) => {
        const keysOf = (entries: readonly RecordEntry[]) => [...distinctEntries(entries).keys()]
        const lists = all.map(keysOf)
        const count = (key: string) => lists.filter((list) => list.includes(key)).length
        const expected = {
          union: (key: string) => count(key) >= 1,
          intersection: (key: string) => count(key) === all.length,
          frequency: (key: string) => count(key) / all.length >= threshold - 1e-9,
        }
        const allKeys = new Set(lists.flat())
        for (const strategy of ['union', 'intersection', 'frequency'] as const) {
          const keys = merge(all, { strategy, threshold }).map(entryKey)
          expect(new Set(keys).size).toBe(keys.length)
          expect(new Set(keys)).toEqual(new Set([...allKeys].filter(expected[strategy])))
          const earliestPosition = (key: string) =>
            Math.min(...lists.map((list) => (list.includes(key) ? list.indexOf(key) : Infinity)))
          const positions = keys.map(earliestPosition)
          expect(positions).toEqual(positions.toSorted((a, b) => a - b))
        }
      }),
    )
  })
})

describe('a difference', () => {
  it('lists the paths of only one record, and counts moved paths', () => {
    expect(diffRecords(paths('a', 'b', 'c', 'd', 'b'), paths('d', 'a', 'b', 'x', 'y'), 1)).toEqual({
      same: false,
      commonCount: 3,
      movedCount: 1,
      onlyInA: { entryCount: 1, entries: [{ path: 'c' }] },
      onlyInB: { entryCount: 2, entries: [{ path: 'x' }] },
    })
  })

  it('is empty between a record and itself, and symmetric', () => {
    fc.assert(
      fc.property(record, record, (a, b) => {
        expect(diffRecords(a, a, 9)).toMatchObject({ same: true, movedCount: 0, onlyInA: { entryCount: 0 } })
        const [forward, backward] = [diffRecords(a, b, 99), diffRecords(b, a, 99)]
        expect(backward).toEqual({ ...forward, onlyInA: forward.onlyInB, onlyInB: forward.onlyInA })
        const keys = (one: readonly RecordEntry[]) => [...distinctEntries(one).keys()].join()
        expect(forward.same).toBe(keys(a) === keys(b))
      }),
    )
  })
})
