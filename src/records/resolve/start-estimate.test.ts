import { expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import { accessedLayer, type MeasuredEntry, measuredByProportion } from './measured-layer.ts'
import { estimateStart } from './start-estimate.ts'

const digest = digestOf('layer')
const file = (name: string, offset: number, packed: number): MeasuredEntry => ({
  name,
  type: 'reg',
  size: packed,
  offset,
  packed,
})

it('counts pieces once, those that lie together in one request, and the opening of each layer', () => {
  const entries = [
    file('a', 0, 120_000),
    file('b', 120_000, 10_000),
    file('small', 130_000, 100),
    file('far', 800_000, 100),
  ]
  const layer = { digest, size: 1_000_000, entries, tocOffset: 960_000, exact: true }
  const estimate = estimateStart(
    [
      accessedLayer(layer, { names: ['a', 'b', 'small', 'far'], entries: [0, 1, 2, 3] }),
      accessedLayer({ ...layer, size: 400_000, tocOffset: 390_000 }, { names: [], entries: [] }),
    ],
    [130_300, 0],
  )
  expect(estimate).toEqual({
    // A footer and a table of 40 kB in one piece, twice; a with b and small in three pieces, far in one.
    withoutRecord: { bytes: 2 * 50_000 + 3 * 50_000 + 50_000, requests: 2 + 2 },
    withRecord: { bytes: 2 * 50_000 + 130_300, requests: 2 + 1 },
    wholePull: { bytes: 1_400_000, requests: 2 },
  })
})

it('reckons where content lies in a layer that does not say so', () => {
  const plain: MeasuredEntry[] = [
    { name: 'd', type: 'dir' },
    { name: 'a', type: 'reg', size: 1536 },
    { name: 'b', type: 'reg', size: 512 },
  ]
  // 512 for each header, the content, and 1024 at the end, all of it halved.
  const layer = measuredByProportion({ digest, size: 2304 }, plain)
  const placed = plain.map((_, i) => {
    const { name, type, size, offset, packed } = layer.entries.at(i) ?? {}
    return { name, type, size, offset, packed }
  })
  expect(placed).toEqual([
    plain[0],
    { ...plain[1], offset: 512, packed: 768 },
    { ...plain[2], offset: 1536, packed: 256 },
  ])
  expect(layer.exact).toBe(false)
})
