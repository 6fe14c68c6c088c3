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

const app = { host: 'r.test', repository: 'team/app' }

it('evicts the least recently used layers, and does not cache one that is larger than its bound', () => {
  const [a, b, c] = [layer('a', 1_000), layer('b', 1_000), layer('c', 1_000)]
  const cache = new ListedLayerCache(Math.floor(2.5 * listingBytes(a))).of('default')
  cache.add(app, a)
  cache.add(app, b)
  expect(cache.get(app, a.digest)).toBe(a)
  cache.add(app, c)
  expect([a, b, c].map(({ digest }) => cache.get(app, digest) !== undefined)).toEqual([true, false, true])
  cache.add(app, layer('huge', 3_000))
  expect(cache.get(app, digestOf('huge'))).toBeUndefined()
  expect(cache.get(app, a.digest)).toBe(a)
})

it('shows a listing to the project that read it only, and for the repository that it was read from', () => {
  const [cache, secret] = [new ListedLayerCache(), layer('secret', 1)]
  cache.of('a').add(app, secret)
  expect(cache.of('a').get(app, secret.digest)).toBe(secret)
  expect(cache.of('b').get(app, secret.digest)).toBeUndefined()
  expect(cache.of('a').get({ ...app, repository: 'team/other' }, secret.digest)).toBeUndefined()
})
