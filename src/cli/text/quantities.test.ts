import { describe, expect, it } from 'vitest'
import { bytesText, countText, durationText, percentText } from './quantities.ts'

describe('quantities', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.50 KiB'],
    [1023 * 1024, '1023 KiB'],
    [1024 * 1024 - 1, '1024 KiB'],
    [5 * 2 ** 30, '5.00 GiB'],
    [2 ** 60, '1048576 TiB'],
  ])('%i bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text))

  it.each([
    [0, '0:00'],
    [7_400, '0:07'],
    [750_000, '12:30'],
    [11_100_000, '3:05:00'],
  ])('%i milliseconds are %s', (milliseconds, text) => expect(durationText(milliseconds)).toBe(text))

  it('only what is complete has 100 %', () => {
    expect([0, 0.456, 0.9999, 1].map(percentText)).toEqual(['0%', '45%', '99%', '100%'])
  })

  it('one thing is singular', () => {
    expect([countText(1, 'layer'), countText(2, 'layer'), countText(2, 'entry', 'entries')]).toEqual([
      '1 layer',
      '2 layers',
      '2 entries',
    ])
  })
})
