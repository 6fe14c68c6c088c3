import { describe, expect, it } from 'vitest'
import type { ConversionProgress, LayerProgress } from '../../conversion/report.ts'
import { digestOf } from '../../oci/digest.ts'
import {
  conversionProgressView,
  countProgressView,
  uploadProgressView,
  verificationProgressView,
} from './conversion-view.ts'

const layer = (more: Partial<LayerProgress>): LayerProgress => ({
  digest: digestOf('layer'),
  platform: 'linux/amd64',
  state: 'converting',
  size: 1000,
  read: 0,
  written: 0,
  ...more,
})
const view = (layers: LayerProgress[], phase: ConversionProgress['phase'] = 'converting') =>
  conversionProgressView('r.test/app:1', { phase, layers })

describe('the progress of a conversion', () => {
  it('counts what was downloaded and uploaded, and is complete only when the layers are', () => {
    const { bars, overall, facts } = view([
      layer({ read: 500, written: 400, uploaded: 300 }),
      layer({ state: 'done', read: 1000, written: 900, uploaded: 900 }),
    ])
    expect(bars.map(({ share, phase }) => [share, phase])).toEqual([
      [0.4, 'active'],
      [1, 'done'],
    ])
    expect(bars[0]?.facts).toEqual(['500 B of 1000 B downloaded', '400 B converted', '300 B uploaded'])
    expect(overall).toEqual({ share: 0.7, moved: 2700 })
    expect(facts).toEqual(['1.46 KiB of 1.95 KiB downloaded', '1.17 KiB uploaded'])
    // A result that is larger than its source is not complete before its end.
    expect(view([layer({ read: 1000, uploaded: 5000 })]).overall?.share).toBeLessThan(1)
  })

  it('counts what older workers wrote as uploaded', () => {
    expect(view([layer({ read: 500, written: 400 })]).bars[0]?.facts.at(-1)).toBe('400 B uploaded')
  })

  it('names platforms only if there are several', () => {
    expect(view([layer({})]).bars[0]?.label).toMatch(/^[0-9a-f]{12}$/)
    const [first] = view([layer({}), layer({ platform: 'linux/arm64' })]).bars
    expect(first?.label).toMatch(/^[0-9a-f]{12} linux\/amd64$/)
  })

  it('is unknown while the source is read', () => {
    expect(view([], 'resolving')).toMatchObject({
      title: 'reading the source of r.test/app:1',
      overall: undefined,
    })
  })
})

describe('other progress', () => {
  it('of verifications is in bytes, or in layers of older workers', () => {
    const counts = { layerCount: 4, doneLayerCount: 1 }
    expect(verificationProgressView('x', { ...counts, totalBytes: 100, readBytes: 50 }).overall?.share).toBe(
      0.5,
    )
    expect(verificationProgressView('x', counts).overall?.share).toBe(0.25)
  })

  it('of things whose number is unknown names no total', () => {
    expect(countProgressView('retry conversions', 12, 0, 'changed').facts).toEqual(['12 changed'])
    expect(countProgressView('inspecting x', 1, 4, 'layers read').facts).toEqual(['1 of 4 layers read'])
  })

  it('of uploads of unknown size shows what was sent', () => {
    expect(uploadProgressView('x', 2048, undefined)).toMatchObject({
      overall: undefined,
      facts: ['2.00 KiB sent'],
    })
  })
})
