import { expect, it } from 'vitest'
import { IndexBuilder } from '../../estargz/index/index-builder.ts'
import { digestOf } from '../../oci/digest.ts'
import { DEFAULT_LIMITS } from '../../tar/limits.ts'
import type { ListedLayer } from './listed-layer.ts'
import { bytesOf, ListedLayerCache } from './listed-layer-cache.ts'

function layer(name: string, entries: number): ListedLayer {
  const builder = new IndexBuilder(DEFAULT_LIMITS)
  for (let i = 0; i < entries; i++) builder.listed(`${i}`, undefined, { type: 'reg' }, 0)
  return { digest: digestOf(name), size: 1, exact: true, columns: builder.finishArchive().columns }
}

it('remembers the layers that were used last, within its bound', () => {
  const [a, b, c] = [layer('a', 1_000), layer('b', 1_000), layer('c', 1_000)]
  const known = new ListedLayerCache(2.5 * bytesOf(a))
  known.add(a)
  known.add(b)
  expect(known.get(a.digest)).toBe(a)
  known.add(c)
  expect([a, b, c].map(({ digest }) => known.get(digest) !== undefined)).toEqual([true, false, true])
  known.add(layer('huge', 3_000))
  expect(known.get(digestOf('huge'))).toBeUndefined()
  expect(known.get(a.digest)).toBe(a)
})
