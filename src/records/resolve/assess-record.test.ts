import { expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import { assessRecord, withActualPrefetch } from './assess-record.ts'
import { resolveRecord } from './resolve-record.ts'
import type { SizedLayer } from './sized-layer.ts'

const manifestDigest = digestOf('this image')
const entries = [{ path: 'a' }, { path: 'b' }]
const layerOf = (name: string, b = '2'): SizedLayer => ({
  digest: digestOf(name),
  size: 10_000,
  hasExactOffsets: true,
  entries: ['a', 'c'].map((file, i) => ({
    name: file === 'c' ? name : file,
    type: 'reg',
    size: 100,
    digest: file === 'a' ? '1' : b,
    offset: i * 4000,
    compressedSize: 40,
  })),
})

function use(layers: readonly SizedLayer[], profiled: readonly SizedLayer[]) {
  const resolved = resolveRecord({
    entries,
    layers: layers.map((layer) => layer.entries),
    manifestDigest,
  })
  return assessRecord({
    entries,
    layers,
    resolved,
    profiled: { name: 'profiled', layers: profiled, manifestDigest },
  })
}

it('reports changes since the image was profiled, and none for the profiled image', () => {
  const layers = [layerOf('b'), layerOf('d')]
  expect(use(layers, layers).staleness).toMatchObject({ comparedCount: 2, changedCount: 0 })
  expect(use(layers, [layerOf('b', '3')]).staleness).toMatchObject({
    comparedCount: 2,
    changedCount: 1,
    share: 0.5,
  })
})

it('replaces the estimated prefetch by the actual one', () => {
  const layers = [layerOf('b'), layerOf('d')]
  const before = use(layers, layers)
  // Two files of 40 bytes, the upper layer's `a` among them, and a header of 150 for each.
  expect(before.layers.map(({ prefetchBytes }) => prefetchBytes)).toEqual([190, 190])
  const after = withActualPrefetch(before, [512, 0])
  expect(after).toEqual({
    ...before,
    layers: before.layers.map((layer, i) => ({ ...layer, prefetchBytes: [512, 0][i] })),
    prefetchBytes: 512,
    // The tables of contents of both layers, and one request for the bytes before a landmark.
    start: { ...before.start, withRecord: { bytes: 2 * 10_000 + 512, requestCount: 2 + 1 } },
  })
})

it('names what is nearest to a missing path, but not to a glob', () => {
  const layers = [layerOf('large-file')]
  const missing = [{ path: 'large-fils' }, { path: 'large-fil?s', glob: true as const }]
  const resolved = resolveRecord({
    entries: missing,
    layers: layers.map((layer) => layer.entries),
    manifestDigest,
  })
  expect(assessRecord({ entries: missing, layers, resolved }).notFound).toEqual([
    { path: 'large-fils', nearest: 'large-file' },
    { path: 'large-fil?s' },
  ])
})
