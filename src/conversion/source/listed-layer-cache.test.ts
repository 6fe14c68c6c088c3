import { expect, it } from 'vitest'
import { IndexBuilder } from '../../estargz/index/index-builder.ts'
import { digestOf } from '../../oci/digest.ts'
import { DEFAULT_LAYER_LIMITS } from '../../tar/layer-limits.ts'
import type { ListedLayer } from './listed-layer.ts'
import { ListedLayerCache, listingBytes } from './listed-layer-cache.ts'

function layer(name: string, entries: number): ListedLayer {
  const builder = new IndexBuilder(DEFAULT_LAYER_LIMITS)
  for (let i = 0; i < entries; i++) builder.addTocEntry(`${i}`, undefined, { type: 'reg' }, 0)
  return { digest: digestOf(name), size: 1, hasExactOffsets: true, columns: builder.finishArchive().columns }
}

it('evicts the least recently used layers, and does not cache one that is larger than its bound', () => {
  const [a, b, c] = [layer('a', 1_000), layer('b', 1_000), layer('c', 1_000)]
  const cache = new ListedLayerCache(Math.floor(2.5 * listingBytes(a)))
  cache.add(a)
  cache.add(b)
  expect(cache.get(a.digest)).toBe(a)
  cache.add(c)
  expect([a, b, c].map(({ digest }) => cache.get(digest) !== undefined)).toEqual([true, false, true])
  cache.add(layer('huge', 3_000))
  expect(cache.get(digestOf('huge'))).toBeUndefined()
  expect(cache.get(a.digest)).toBe(a)
})
