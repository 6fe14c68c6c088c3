import fc from 'fast-check'
import { describe, it } from 'vitest'
import { PROPERTIES, type PropertyName } from '../../../test/support/deflate/properties.ts'

/** The numbers of runs keep the test within seconds; `npm run fuzz` runs for as long as requested. */
const RUNS: Record<PropertyName, number> = {
  'streams of any level and strategy, in pieces of any size': 60,
  'streams with flushes, and settings that change': 40,
  'any number of members, of any kind': 20,
  'streams that no compressor writes, and the same bytes whatever the pieces': 150,
  'streams that break the format': 500,
  'damaged streams whose checksum is put right': 300,
  'bytes that were never a stream': 300,
}

describe('the transcoder handles', () => {
  it.each(Object.entries(PROPERTIES))('%s', async (name, property) => {
    await fc.assert<unknown>(property, { numRuns: RUNS[name as PropertyName] })
  })
})
