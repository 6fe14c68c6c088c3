import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import type { ConversionCache } from '../conversion/reuse/conversion-cache.ts'
import type { ConvertedLayer } from '../conversion/reuse/converted-layer.ts'
import { computeLayerKey } from '../conversion/reuse/layer-key.ts'
import type { Database } from '../db/database.ts'
import { ProjectScope } from '../db/project-scope.ts'
import { DEFAULT_FORMAT } from '../estargz/blob-format.ts'
import { digestOf } from '../oci/digest.ts'
import { CacheAdministration, type ProjectCache } from './cache-administration.ts'
import { type CachedLocation, checkEntries } from './check-entries.ts'
import { DatabaseCache } from './database-cache.ts'
import { deleteOldUses, readUses, USE_RETENTION_DAYS } from './use-counts.ts'

const DAY_MS = 86_400_000
const never = new AbortController().signal
const settings = { format: DEFAULT_FORMAT, compression: { method: 'auto' as const, level: 6 } }
const layerKeyOf = (name: string) => computeLayerKey({ digest: digestOf(name), size: 1 }, settings, [], [])
const layerOf = (name: string, repository = 'team/app') => ({
  layer: { digest: digestOf(name), size: 5_000_000_000 } as ConvertedLayer,
  host: 'r.test',
  repository,
  sourceHost: 'r.test',
})
const imageKeyOf = (name: string) => digestOf(`key of ${name}`)
const imageOf = (name: string, repository = 'team/app') => ({
  report: { target: name },
  digest: digestOf(name),
  size: 500,
  host: 'r.test',
  repository,
})

describeDatabases('the cache', (open) => {
  let database: Database
  let opened: TestDatabase
  let cache: ConversionCache
  let administration: ProjectCache
  beforeAll(async () => {
    opened = await open()
    ;({ database } = opened)
    cache = new DatabaseCache(database, { layers: 3, images: 2 }).in(ProjectScope.ALL)
    administration = new CacheAdministration(database).in(ProjectScope.ALL)
  })
  afterAll(() => opened.close())
  beforeEach(async () => {
    await administration.purge({})
    await database.query.deleteFrom('cache_uses').execute()
  })
  const age = (table: 'converted_layers' | 'converted_images', set: { used_at: number }) =>
    database.query.updateTable(table).set(set).execute()

  it('returns the image that was stored last under a key', async () => {
    await cache.images.put(imageKeyOf('a'), imageOf('a'))
    expect(await cache.images.find(imageKeyOf('a'))).toEqual(imageOf('a'))
    expect(await cache.images.find(imageKeyOf('b'))).toBeUndefined()
    await cache.images.put(imageKeyOf('a'), imageOf('a', 'other'))
    expect(await cache.images.find(imageKeyOf('a'))).toEqual(imageOf('a', 'other'))
  })

  it('evicts the least recently used image', async () => {
    await cache.images.put(imageKeyOf('a'), imageOf('a'))
    await cache.images.put(imageKeyOf('b'), imageOf('b'))
    await age('converted_images', { used_at: 5 })
    await cache.images.find(imageKeyOf('a'))
    await cache.images.put(imageKeyOf('c'), imageOf('c'))
    expect(await cache.images.find(imageKeyOf('b'))).toBeUndefined()
    expect(await cache.images.find(imageKeyOf('a'))).toBeDefined()
  })

  it('counts uses by day, from concurrent conversions, and deletes old days', async () => {
    const use = { kind: 'layer', outcome: 'reused', count: 2, bytes: 3_000_000_000 } as const
    await Promise.all(Array.from({ length: 10 }, () => cache.countUses([use, { ...use, outcome: 'made' }])))
    expect(await readUses(database, 1, ProjectScope.ALL)).toHaveLength(2)
    expect(await readUses(database, 1, ProjectScope.ALL)).toContainEqual({
      ...use,
      count: 20,
      bytes: 30_000_000_000,
    })
    const today = (await database.query.selectFrom('cache_uses').select('day').executeTakeFirstOrThrow()).day
    expect(Math.abs(today - Date.now() / DAY_MS)).toBeLessThan(1.1)
    for (const [ago, outcome] of [
      [3, 'rearranged'],
      [USE_RETENTION_DAYS, 'gone'],
    ] as const) {
      await database.query
        .insertInto('cache_uses')
        .values({ ...use, outcome, day: today - ago })
        .execute()
    }
    expect(await readUses(database, 3, ProjectScope.ALL)).toHaveLength(2)
    expect(await readUses(database, 4, ProjectScope.ALL)).toHaveLength(3)
    expect(await readUses(database, 1000, ProjectScope.ALL)).toHaveLength(4)
    await deleteOldUses(database)
    expect(await readUses(database, 1000, ProjectScope.ALL)).toHaveLength(3)
  })

  it('checks each due entry in one of several processes, and deletes those that are gone', async () => {
    for (const name of ['there', 'gone', 'away'])
      await cache.layers.put(layerKeyOf(name), layerOf(name), undefined)
    await cache.images.put(imageKeyOf('image'), imageOf('image'))
    await cache.images.put(imageKeyOf('changed'), imageOf('changed'))
    const probed: string[] = []
    const probe = async (kind: 'blob' | 'manifest', { host, repository, digest }: CachedLocation) => {
      probed.push(`${kind} ${host}/${repository} ${digest}`)
      if (digest === digestOf('away')) throw new Error('the registry is down')
      if (digest === digestOf('there')) return 5_000_000_000
      return digest === digestOf('image') ? 500 : digest === digestOf('changed') ? 501 : undefined
    }
    expect(await checkEntries(database, probe, never)).toEqual({ checked: 0, gone: 0 })
    expect(await administration.requestCheck()).toEqual({ layerCount: 3, imageCount: 2 })
    const results = await Promise.all([
      checkEntries(database, probe, never),
      checkEntries(database, probe, never),
    ])
    expect(results.map(({ checked }) => checked).reduce((a, b) => a + b)).toBe(5)
    expect(results.map(({ gone }) => gone).reduce((a, b) => a + b)).toBe(2)
    expect(probed.toSorted()).toEqual(
      [
        ...['there', 'gone', 'away'].map((name) => `blob r.test/team/app ${digestOf(name)}`),
        ...['image', 'changed'].map((name) => `manifest r.test/team/app ${digestOf(name)}`),
      ].toSorted(),
    )
    expect(await cache.layers.find(layerKeyOf('gone'))).toBeUndefined()
    expect(await cache.images.find(imageKeyOf('changed'))).toBeUndefined()
    for (const name of ['there', 'away']) expect(await cache.layers.find(layerKeyOf(name))).toBeDefined()
    const counted = (await administration.readOverview(1)).uses.map(({ kind, outcome, count }) => [
      kind,
      outcome,
      count,
    ])
    expect(counted.toSorted()).toEqual([
      ['image', 'gone', 1],
      ['layer', 'gone', 1],
    ])
    expect(await checkEntries(database, probe, never)).toEqual({ checked: 0, gone: 0 })
  })

  it('stops after the current entry when the signal aborts, and deletes no entry that it could not check', async () => {
    for (const name of ['a', 'b', 'c']) await cache.layers.put(layerKeyOf(name), layerOf(name), undefined)
    await cache.images.put(imageKeyOf('image'), imageOf('image'))
    await administration.requestCheck()
    const stop = new AbortController()
    let probes = 0
    const probe = async () => {
      probes += 1
      stop.abort(new Error('the worker stops'))
      stop.signal.throwIfAborted()
      return undefined
    }
    expect(await checkEntries(database, probe, stop.signal)).toEqual({ checked: 1, gone: 0 })
    expect(probes).toBe(1)
    expect((await administration.readOverview(1)).layers.entryCount).toBe(3)
  })

  it('reports its totals, and purges all entries or selected ones', async () => {
    expect(await administration.readOverview(7)).toEqual({
      layers: { entryCount: 0, bytes: 0, oldestUsedAt: undefined, oldestCheckedAt: undefined },
      images: { entryCount: 0, bytes: 0, oldestUsedAt: undefined, oldestCheckedAt: undefined },
      uses: [],
    })
    await cache.layers.put(layerKeyOf('a'), layerOf('a'), undefined)
    await cache.layers.put(layerKeyOf('b'), layerOf('b', 'other'), undefined)
    await cache.images.put(imageKeyOf('c'), imageOf('c', 'other'))
    const { layers, images } = await administration.readOverview(7)
    expect(layers).toMatchObject({ entryCount: 2, bytes: 10_000_000_000 })
    expect(images).toMatchObject({ entryCount: 1, bytes: 500 })
    for (const { oldestUsedAt = 0, oldestCheckedAt = 0 } of [layers, images]) {
      expect(Math.abs(oldestUsedAt - Date.now())).toBeLessThan(60_000)
      expect(Math.abs(oldestCheckedAt - Date.now())).toBeLessThan(60_000)
    }
    expect(await administration.purge({ hosts: ['another.test'] })).toEqual({ layerCount: 0, imageCount: 0 })
    expect(await administration.purge({ digest: digestOf('a') })).toEqual({ layerCount: 1, imageCount: 0 })
    expect(await administration.purge({ hosts: ['r.test'], repository: 'other' })).toEqual({
      layerCount: 1,
      imageCount: 1,
    })
    expect((await administration.readOverview(7)).layers.entryCount).toBe(0)
  })
})
