import { expect, it } from 'vitest'
import { digestOf } from '../oci/digest.ts'
import { KnownLayers } from './known-layers.ts'

it('remembers the layers that were used last, within its bound', () => {
  const known = new KnownLayers()
  const layer = (name: string, entries: number) => ({
    digest: digestOf(name),
    size: 1,
    exact: true,
    entries: Array.from({ length: entries }, (_, i) => ({ name: `${i}`, type: 'reg' })),
  })
  const [a, b, c] = [layer('a', 90_000), layer('b', 90_000), layer('c', 90_000)]
  known.add(a)
  known.add(b)
  expect(known.get(a.digest)).toBe(a)
  known.add(c)
  expect([a, b, c].map(({ digest }) => known.get(digest) !== undefined)).toEqual([true, false, true])
  known.add(layer('huge', 200_001))
  expect(known.get(digestOf('huge'))).toBeUndefined()
  expect(known.get(a.digest)).toBe(a)
})
