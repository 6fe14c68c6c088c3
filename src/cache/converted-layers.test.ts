import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import type { ConvertedLayer } from '../conversion/reuse/converted-layer.ts'
import { computeLayerKey } from '../conversion/reuse/layer-key.ts'
import type { Database } from '../db/database.ts'
import { DEFAULT_FORMAT } from '../estargz/blob-format.ts'
import { digestOf } from '../oci/digest.ts'
import { ConvertedLayers } from './converted-layers.ts'

const settings = { format: DEFAULT_FORMAT, compression: { method: 'auto' as const, level: 6 } }
const keyOf = (source: string, ...prioritized: string[]) =>
  computeLayerKey({ digest: digestOf(source), size: 1 }, settings, prioritized, [])

const layer = (name: string): ConvertedLayer => ({
  digest: digestOf(name),
  size: 5_000_000_000,
  diffId: digestOf(`${name} uncompressed`),
  uncompressedSize: 9,
  tocDigest: digestOf(`${name} toc`),
  prioritizedFiles: 1,
  prefetchBytes: 2,
  entries: 3,
  landmark: 'prefetch',
  sourceDiffId: digestOf(`${name} source`),
  compression: { method: 'transcode', reason: 'a test' },
})
const cached = (name: string) => ({ layer: layer(name), host: 'r.test', repository: 'team/app' })
const stored = (name: string) => ({ ...cached(name), sourceHost: 'r.test' })
const index = Buffer.from([0x1f, 0x8b, 0, 255, 254])

describeDatabases('converted layers', (open) => {
  let database: Database
  let opened: TestDatabase
  beforeAll(async () => {
    opened = await open()
    ;({ database } = opened)
  })
  afterAll(() => opened.close())
  beforeEach(async () => {
    await database.query.deleteFrom('converted_layers').execute()
  })

  it('finds a layer by its source, options and prioritized entries in order', async () => {
    const store = new ConvertedLayers(database, 10, 'default')
    await store.put(keyOf('a', 'x', 'y'), stored('a'), undefined)
    expect(await store.find(keyOf('a', 'x', 'y'))).toEqual(cached('a'))
    expect(await store.find(keyOf('a', 'y', 'x'))).toBeUndefined()
    expect(await store.find(keyOf('b', 'x', 'y'))).toBeUndefined()
    const other = { ...settings, compression: { method: 'recompress' as const, level: 6 } }
    expect(
      await store.find(computeLayerKey({ digest: digestOf('a'), size: 1 }, other, ['x', 'y'], [])),
    ).toBeUndefined()
    expect(await store.findWithIndex(keyOf('a'))).toBeUndefined()
  })

  it('finds the index of a layer in any order, as it was stored last', async () => {
    const store = new ConvertedLayers(database, 10, 'default')
    await store.put(keyOf('a', 'x'), stored('a'), index)
    expect(await store.findWithIndex(keyOf('a', 'other'))).toEqual({ ...cached('a'), index })
    await store.put(keyOf('a', 'x'), stored('a again'), undefined)
    expect(await store.find(keyOf('a', 'x'))).toEqual(cached('a again'))
    expect(await store.findWithIndex(keyOf('a'))).toBeUndefined()
  })

  it('finds a layer in any order, with or without its index', async () => {
    const store = new ConvertedLayers(database, 10, 'default')
    expect(await store.findAny(keyOf('a'))).toBeUndefined()
    await store.put(keyOf('a', 'x'), stored('a'), undefined)
    expect(await store.findAny(keyOf('a', 'other'))).toEqual(cached('a'))
    expect(await store.findAny(keyOf('b', 'x'))).toBeUndefined()
  })

  it('stores an index of any size in parts, and deletes all of them', async () => {
    const store = new ConvertedLayers(database, 1, 'default')
    const large = Buffer.alloc(2_500_000)
    for (let i = 0; i < large.length; i += 1000) large.writeUInt32LE(i, i)
    await store.put(keyOf('a', 'x'), stored('a'), large)
    expect((await store.findWithIndex(keyOf('a')))?.index).toEqual(large)
    await store.put(keyOf('a', 'x'), stored('a'), index)
    expect((await store.findWithIndex(keyOf('a')))?.index).toEqual(index)
    await store.put(keyOf('b'), stored('b'), undefined)
    const parts = await database.query.selectFrom('converted_layer_indexes').select('part').execute()
    expect(parts).toEqual([])
  })

  it('evicts the least recently used layers', async () => {
    const store = new ConvertedLayers(database, 2, 'default')
    await store.put(keyOf('a'), stored('a'), undefined)
    await store.put(keyOf('b'), stored('b'), undefined)
    await database.query.updateTable('converted_layers').set({ used_at: 5 }).execute()
    await store.find(keyOf('a'))
    await store.put(keyOf('c'), stored('c'), undefined)
    expect(await store.find(keyOf('b'))).toBeUndefined()
    expect(await store.find(keyOf('a'))).toEqual(cached('a'))
    expect(await store.find(keyOf('c'))).toEqual(cached('c'))
  })
})
