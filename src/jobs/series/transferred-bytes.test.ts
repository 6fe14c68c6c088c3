import { expect, it } from 'vitest'
import { transferredBytes } from './transferred-bytes.ts'

const layer = (action: string | undefined, source: number, size: number) => ({
  action,
  source: { size: source },
  size,
})

it('the bytes of a conversion are counted by what happened to each layer', () => {
  const layers = [
    layer('streamed', 10, 11),
    layer('arranged', 20, 22),
    layer('rearranged', 30, 33),
    layer('reused', 40, 44),
    layer('duplicate', 50, 55),
  ]
  expect(transferredBytes({ size: 165, images: [{ layers }] })).toEqual({
    bytesIn: 30,
    bytesOut: 66,
    bytesReused: 44,
  })
  expect(transferredBytes({ reused: true, size: 165, images: [{ layers }] })).toEqual({
    bytesIn: 0,
    bytesOut: 0,
    bytesReused: 165,
  })
})

it('a verification only reads, and a report without layers has no bytes', () => {
  expect(transferredBytes({ verified: true, images: [{ layers: [{ size: 7 }, { size: 8 }] }] })).toEqual({
    bytesIn: 15,
    bytesOut: 0,
    bytesReused: 0,
  })
  expect(transferredBytes(undefined)).toEqual({ bytesIn: 0, bytesOut: 0, bytesReused: 0 })
})
