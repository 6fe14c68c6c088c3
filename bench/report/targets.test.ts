import { expect, it } from 'vitest'
import type { ConversionMeasurement } from '../conversions.ts'
import type { Row } from '../rows.ts'
import { Results } from './results.ts'
import { evaluateTargets, isMissed } from './targets.ts'

const usage = { cpu: 1, wall: 1, peakRss: 1e6, peakScratch: 0 }
const rows: Row[] = ['auto', 'record'].map((id) => ({
  id: id as 'auto' | 'record',
  name: id,
  part: id as 'auto' | 'record',
  isBrokerConversion: true,
  mustAvoidScratch: id === 'auto',
  measure: async () => ({ usage }),
}))

function listMissed(results: Results, huge?: ConversionMeasurement): string[] {
  return evaluateTargets(results, rows, { huge })
    .filter(isMissed)
    .map(({ name }) => name)
}

it('compares the measurements of a round with those of the same round', () => {
  const results = new Results()
  // The machine is slower in the second round.
  for (const slowdown of [1, 3, 1]) {
    results.add('go', 'gunzip', { usage: { ...usage, cpu: 2 * slowdown } })
    results.add('go', 'auto', { usage: { ...usage, cpu: slowdown } })
  }
  expect(results.ratio('go', 'auto', 'gunzip', ({ usage }) => usage.cpu)).toBe(0.5)
  expect(results.figure('go', 'auto', ({ usage }) => usage.cpu)).toEqual({ median: 1, min: 1, max: 3 })
  expect(listMissed(results)).toEqual([])
})

it('finds conversions that are too slow, too large, or write scratch files', () => {
  const results = new Results()
  results.add('go', 'gunzip', { usage })
  results.add('go', 'recompress', { usage, bytes: 1000 })
  results.add('go', 'auto', { usage: { ...usage, cpu: 0.81, peakScratch: 4096 }, bytes: 1001 })
  results.add('go', 'record', { usage: { ...usage, peakScratch: 1e9, peakRss: 301e6 } })
  expect(listMissed(results, { usage: { ...usage, written: 1e7 } })).toEqual([
    'auto, go: CPU relative to gzip -dc \\| sha256sum',
    'auto, go: output relative to zlib 6',
    'record: peak RSS',
    'auto: scratch',
    'layer of 4 GiB: scratch',
  ])
})

it('counts a row that cannot be measured as missed, but not a row that is not selected', () => {
  const results = new Results()
  expect(listMissed(results)).toEqual([])
  results.unavailable.set('rearrange', 'no layer was re-arranged')
  expect(listMissed(results)).toHaveLength(3)
})
