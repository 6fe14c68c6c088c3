import { expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import { estimateSizedLayer, type SizedEntry, toPrioritizedLayer } from './sized-layer.ts'
import { estimateStart } from './start-estimate.ts'

const digest = digestOf('layer')
const file = (name: string, offset: number, compressedSize: number): SizedEntry => ({
  name,
  type: 'reg',
  size: compressedSize,
  offset,
  compressedSize,
})

it('counts chunks once, adjacent chunks as one request, and the opening of each layer', () => {
  const entries = [
    file('a', 0, 120_000),
    file('b', 120_000, 10_000),
    file('small', 130_000, 100),
    file('far', 800_000, 100),
  ]
  const layer = { digest, size: 1_000_000, entries, tocOffset: 960_000, hasExactOffsets: true }
  const estimate = estimateStart(
    [
      toPrioritizedLayer(layer, { names: ['a', 'b', 'small', 'far'], indexes: [0, 1, 2, 3] }),
      toPrioritizedLayer({ ...layer, size: 400_000, tocOffset: 390_000 }, { names: [], indexes: [] }),
    ],
    [130_300, 0],
  )
  expect(estimate).toEqual({
    // Footer and table of contents (40 kB) in one chunk, twice; a with b and small in three chunks, far in
    // one.
    withoutRecord: { bytes: 2 * 50_000 + 3 * 50_000 + 50_000, requestCount: 2 + 2 },
    withRecord: { bytes: 2 * 50_000 + 130_300, requestCount: 2 + 1 },
    wholePull: { bytes: 1_400_000, requestCount: 2 },
  })
})

it('estimates offsets in a layer without a table of contents', () => {
  const source: SizedEntry[] = [
    { name: 'd', type: 'dir' },
    { name: 'a', type: 'reg', size: 1536 },
    { name: 'b', type: 'reg', size: 512 },
  ]
  // 512 bytes for each header, the content, and 1024 at the end, all of it halved.
  const layer = estimateSizedLayer({ digest, size: 2304 }, source)
  const estimated = source.map((_, i) => {
    const { name, type, size, offset, compressedSize } = layer.entries.at(i) ?? {}
    return { name, type, size, offset, compressedSize }
  })
  expect(estimated).toEqual([
    source[0],
    { ...source[1], offset: 512, compressedSize: 768 },
    { ...source[2], offset: 1536, compressedSize: 256 },
  ])
  expect(layer.hasExactOffsets).toBe(false)
})
