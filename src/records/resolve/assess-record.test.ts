import { expect, it } from 'vitest'
import { digestOf } from '../../oci/digest.ts'
import { assessRecord, withPrefetched } from './assess-record.ts'
import type { MeasuredLayer } from './measured-layer.ts'
import { resolveRecord } from './resolve.ts'

const manifestDigest = digestOf('this image')
const entries = [{ path: 'a' }, { path: 'b' }]
const layerOf = (name: string, b = '2'): MeasuredLayer => ({
  digest: digestOf(name),
  size: 10_000,
  exact: true,
  entries: ['a', 'c'].map((file, i) => ({
    name: file === 'c' ? name : file,
    type: 'reg',
    size: 100,
    digest: file === 'a' ? '1' : b,
    offset: i * 4000,
    packed: 40,
  })),
})

function use(layers: readonly MeasuredLayer[], profiled: readonly MeasuredLayer[]) {
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

it('tells what changed since the image was profiled, and that nothing did where it is the same', () => {
  const layers = [layerOf('b'), layerOf('d')]
  expect(use(layers, layers).staleness).toMatchObject({ compared: 2, changed: 0 })
  expect(use(layers, [layerOf('b', '3')]).staleness).toMatchObject({ compared: 2, changed: 1, share: 0.5 })
})

it('takes what is prefetched in truth for what was estimated', () => {
  const layers = [layerOf('b'), layerOf('d')]
  const before = use(layers, layers)
  // Two files of 40 bytes, the upper layer's `a` among them, and a header of 150 for each.
  expect(before.layers.map(({ prefetchBytes }) => prefetchBytes)).toEqual([190, 190])
  const after = withPrefetched(before, [512, 0])
  expect(after).toEqual({
    ...before,
    layers: before.layers.map((layer, i) => ({ ...layer, prefetchBytes: [512, 0][i] })),
    prefetchBytes: 512,
    // The tables of contents of both layers, and one request for what lies before a landmark.
    start: { ...before.start, withRecord: { bytes: 2 * 10_000 + 512, requests: 2 + 1 } },
  })
})
