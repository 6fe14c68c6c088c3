import { expect, it } from 'vitest'
import type { ConversionMeasurement } from '../conversions.ts'
import { Results } from './results.ts'
import type { Row } from '../rows.ts'
import { isMissed, evaluateTargets } from './targets.ts'

const used = { cpu: 1, wall: 1, rss: 1e6, scratch: 0 }
const rows: Row[] = ['auto', 'record'].map((id) => ({
  id: id as 'auto' | 'record',
  name: id,
  part: id as 'auto' | 'record',
  ours: true,
  scratchless: id === 'auto',
  measure: async () => ({ used }),
}))

function missed(results: Results, huge?: ConversionMeasurement): string[] {
  return evaluateTargets(results, rows, { huge })
    .filter(isMissed)
    .map(({ name }) => name)
}

it('compares each round with itself', () => {
  const results = new Results()
  // The machine became slower in the second round, for both.
  for (const slower of [1, 3, 1]) {
    results.add('go', 'gunzip', { usage: { ...used, cpu: 2 * slower } })
    results.add('go', 'auto', { usage: { ...used, cpu: slower } })
  }
  expect(results.ratio('go', 'auto', 'gunzip', ({ usage: used }) => used.cpu)).toBe(0.5)
  expect(results.figure('go', 'auto', ({ usage: used }) => used.cpu)).toEqual({ median: 1, least: 1, most: 3 })
  expect(missed(results)).toEqual([])
})

it('finds what is slower, larger, or on disk', () => {
  const results = new Results()
  results.add('go', 'gunzip', { usage: used })
  results.add('go', 'recompress', { usage: used, bytes: 1000 })
  results.add('go', 'auto', { usage: { ...used, cpu: 0.81, peakScratch: 4096 }, bytes: 1001 })
  results.add('go', 'record', { usage: { ...used, peakScratch: 1e9, peakRss: 301e6 } })
  expect(missed(results, { usage: { ...used, written: 1e7 } })).toEqual([
    'auto, go: CPU of gzip -dc \\| sha256sum',
    'auto, go: output of zlib 6',
    'record: peak RSS',
    'auto: scratch',
    'layer of 4 GiB: scratch',
  ])
})

it('counts as missed what the program does not do, not what was not asked for', () => {
  const results = new Results()
  expect(missed(results)).toEqual([])
  results.unavailable.set('rearrange', 'no layer was re-arranged')
  expect(missed(results)).toHaveLength(3)
})
