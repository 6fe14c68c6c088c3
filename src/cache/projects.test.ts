import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import type { ConversionCache } from '../conversion/reuse/conversion-cache.ts'
import type { ConvertedLayer } from '../conversion/reuse/converted-layer.ts'
import { computeLayerKey } from '../conversion/reuse/layer-key.ts'
import type { Database } from '../db/database.ts'
import { ProjectScope } from '../db/project-scope.ts'
import { DEFAULT_FORMAT } from '../estargz/blob-format.ts'
import { digestOf } from '../oci/digest.ts'
import { CacheAdministration } from './cache-administration.ts'
import { type CachedLocation, checkEntries } from './check-entries.ts'
import { DatabaseCache } from './database-cache.ts'

const settings = { format: DEFAULT_FORMAT, compression: { method: 'auto' as const, level: 6 } }
const keyOf = (name: string, ...prioritized: string[]) =>
  computeLayerKey({ digest: digestOf(name), size: 1 }, settings, prioritized)
const layerOf = (name: string, repository: string) => ({
  layer: { digest: digestOf(`converted ${name}`), size: 7 } as ConvertedLayer,
  host: 'r.test',
  repository,
  sourceHost: 'source.test',
})
const image = { report: {}, digest: digestOf('image'), size: 5, host: 'r.test', repository: 'app' }
const index = Buffer.from('an index')

describeDatabases('the cache of several projects', (open) => {
  let database: Database
  let opened: TestDatabase
  let cacheOf: (project: string) => ConversionCache
  const administrationOf = (scope: ProjectScope) => new CacheAdministration(database).in(scope)
  beforeAll(async () => {
    opened = await open()
    ;({ database } = opened)
    const cache = new DatabaseCache(database, { layers: 4, images: 4 })
    cacheOf = (project) => cache.in(ProjectScope.of(project))
  })
  afterAll(() => opened.close())
  beforeEach(async () => {
    await administrationOf(ProjectScope.ALL).purge({})
    await database.query.deleteFrom('cache_uses').execute()
    await database.query.deleteFrom('project_cache_uses').execute()
  })

  it('finds the entries of its own project only, under the same key', async () => {
    for (const project of ['default', 'a', 'b']) {
      await cacheOf(project).layers.put(keyOf('x'), layerOf('x', project), index)
      await cacheOf(project).images.put(digestOf('x'), { ...image, repository: project })
    }
    for (const project of ['default', 'a', 'b']) {
      const { layers, images } = cacheOf(project)
      expect(await layers.find(keyOf('x'))).toMatchObject({ repository: project })
      expect(await layers.findAny(keyOf('x', 'y'))).toMatchObject({ repository: project })
      expect(await layers.findWithIndex(keyOf('x', 'y'))).toMatchObject({ repository: project, index })
      expect(await images.find(digestOf('x'))).toMatchObject({ repository: project })
    }
    const { layers, images } = cacheOf('c')
    expect(await layers.find(keyOf('x'))).toBeUndefined()
    expect(await layers.findAny(keyOf('x'))).toBeUndefined()
    expect(await layers.findWithIndex(keyOf('x'))).toBeUndefined()
    expect(await images.find(digestOf('x'))).toBeUndefined()
    await cacheOf('a').layers.remove(keyOf('x'))
    await cacheOf('a').images.remove(digestOf('x'))
    expect(await cacheOf('default').layers.find(keyOf('x'))).toBeDefined()
    expect(await cacheOf('b').images.find(digestOf('x'))).toBeDefined()
  })

  it('finds foreign layers of the same source registry, preferably one that can be read where it is', async () => {
    const { layers } = cacheOf('c')
    expect(await layers.hasForeign()).toBe(false)
    await layers.put(keyOf('x'), layerOf('x', 'own'), index)
    expect(await layers.hasForeign()).toBe(false)
    await cacheOf('a').layers.put(keyOf('x'), layerOf('x', 'a'), undefined)
    await cacheOf('b').layers.put(keyOf('x'), layerOf('x', 'b'), index)
    expect(await layers.hasForeign()).toBe(true)
    const foreign = (sourceHost: string, readable: string) =>
      layers.foreign({
        sourceHosts: [sourceHost],
        mayRead: async ({ repository }) => repository === readable,
      })
    expect(await foreign('source.test', 'a').find(keyOf('x'))).toMatchObject({ repository: 'a' })
    expect(await foreign('source.test', 'b').find(keyOf('x'))).toMatchObject({ repository: 'b' })
    expect((await foreign('source.test', 'none').find(keyOf('x')))?.layer).toEqual(layerOf('x', 'a').layer)
    expect(await foreign('source.test', 'a').findWithIndex(keyOf('x', 'y'))).toMatchObject({ index })
    expect(await foreign('source.test', 'a').findAny(keyOf('x', 'y'))).toBeDefined()
    for (const method of ['find', 'findAny', 'findWithIndex'] as const) {
      expect(await foreign('other.test', 'a')[method](keyOf('x'))).toBeUndefined()
    }
  })

  it('shares no layer whose source registry is not known, such as those of earlier releases', async () => {
    const { layers } = cacheOf('default')
    await layers.put(keyOf('x'), { ...layerOf('x', 'app'), sourceHost: '' }, undefined)
    const foreign = cacheOf('a').layers.foreign({ sourceHosts: ['source.test'], mayRead: async () => true })
    expect(await foreign.find(keyOf('x'))).toBeUndefined()
    expect(await layers.find(keyOf('x'))).toBeDefined()
  })

  it('lets no project displace what others have within their share', async () => {
    await cacheOf('a').layers.put(keyOf('mine'), layerOf('mine', 'a'), undefined)
    await cacheOf('a').images.put(digestOf('mine'), image)
    await database.query.updateTable('converted_layers').set({ used_at: 1 }).execute()
    await database.query.updateTable('converted_images').set({ used_at: 1 }).execute()
    for (let i = 0; i < 10; i++) {
      await cacheOf('b').layers.put(keyOf(`${i}`), layerOf(`${i}`, 'b'), undefined)
      await cacheOf('b').images.put(digestOf(`${i}`), image)
    }
    expect(await cacheOf('a').layers.find(keyOf('mine'))).toBeDefined()
    expect(await cacheOf('a').images.find(digestOf('mine'))).toBeDefined()
    const { layers, images } = await administrationOf(ProjectScope.ALL).readOverview(1)
    expect([layers.entryCount, images.entryCount]).toEqual([4, 4])
  })

  it('shows, checks and removes the entries of a project only, and all of them to an administrator', async () => {
    const use = { kind: 'layer', outcome: 'reused', count: 1, bytes: 7 } as const
    for (const project of ['a', 'b']) {
      await cacheOf(project).layers.put(keyOf('x'), layerOf('x', project), undefined)
      await cacheOf(project).images.put(digestOf('x'), image)
      await cacheOf(project).countUses([use])
    }
    const own = administrationOf(ProjectScope.of('a'))
    const all = administrationOf(ProjectScope.ALL)
    expect(await own.readOverview(1)).toMatchObject({
      layers: { entryCount: 1 },
      images: { entryCount: 1 },
      uses: [use],
    })
    await cacheOf('default').countUses([use])
    await cacheOf('a').countUses([{ ...use, count: 2 }])
    expect((await all.readOverview(1)).uses).toEqual([{ ...use, count: 5, bytes: 28 }])
    expect((await own.readOverview(1)).uses).toEqual([{ ...use, count: 3, bytes: 14 }])
    expect(await own.requestCheck()).toEqual({ layerCount: 1, imageCount: 1 })
    const probed: string[] = []
    const probe = async (_: string, { project }: CachedLocation) => {
      probed.push(project)
      return undefined
    }
    expect(await checkEntries(database, probe, new AbortController().signal)).toMatchObject({ gone: 2 })
    expect(probed).toEqual(['a', 'a'])
    expect((await own.readOverview(1)).uses).toHaveLength(3)
    expect((await administrationOf(ProjectScope.of('b')).readOverview(1)).uses).toEqual([use])
    expect(await own.purge({ digest: layerOf('x', 'b').layer.digest })).toEqual({
      layerCount: 0,
      imageCount: 0,
    })
    expect(await own.purge({})).toEqual({ layerCount: 0, imageCount: 0 })
    expect(await all.purge({})).toEqual({ layerCount: 1, imageCount: 1 })
  })
})
