import { expect, it } from 'vitest'
import { digestOf } from '../oci/digest.ts'
import { largestMember } from './layer-index.ts'

it('the largest member is found among as many as a layer may have', () => {
  const headers = Array.from({ length: 1_000_000 }, (_, i) => ({
    offset: i,
    length: 1,
    plainLength: i === 500_000 ? 99_999 : 512,
    firstEntry: i,
    entries: 1,
  }))
  const index = {
    version: 1 as const,
    packing: 'zstd' as const,
    chunkSize: 65_536,
    sourceDiffId: digestOf(''),
    sourcePlainSize: 0,
    entries: [],
    headers,
  }
  expect(largestMember(index)).toBe(99_999 + 512)
  expect(largestMember({ ...index, headers: [] })).toBe(65_536 + 512)
})
