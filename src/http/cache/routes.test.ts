import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { DatabaseCache } from '../../cache/database-cache.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { digestOf } from '../../oci/digest.ts'

describeDatabases('the cache over HTTP', (open) => {
  let opened: TestDatabase
  let api: JobApi
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(opened)
    const cache = new DatabaseCache(opened.database, { layers: 10, images: 10 }).in(ProjectScope.ALL)
    const image = { report: {}, size: 500, host: 'docker.io' }
    for (const name of ['a', 'b', 'c']) {
      await cache.images.put(digestOf(name), { ...image, digest: digestOf(name), repository: `team/${name}` })
    }
    await cache.countUses([
      { kind: 'image', outcome: 'reused', count: 3, bytes: 7000 },
      { kind: 'image', outcome: 'made', count: 1, bytes: 900 },
    ])
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })

  it('shows the cached entries and how often they were used', async () => {
    const { status, json } = await api.request('GET', '/v1/cache')
    expect(status).toBe(200)
    expect(json).toMatchObject({
      layers: { entryCount: 0, bytes: 0 },
      images: { entryCount: 3, bytes: 1500 },
      days: 7,
      uses: {
        images: { hitRate: 0.75, reused: 3, converted: 1, gone: 0, bytesReused: 7000 },
        layers: { reused: 0, rearranged: 0, converted: 0, gone: 0, bytesReused: 0 },
      },
    })
    expect(json.uses.layers.hitRate).toBeUndefined()
    expect(await api.request('GET', '/v1/cache?days=91')).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'querystring.days' }] },
    })
  })

  it('schedules a check of all entries', async () => {
    expect(await api.request('POST', '/v1/cache/check')).toMatchObject({
      status: 202,
      json: { layerCount: 0, imageCount: 3 },
    })
    const { json } = await api.request('GET', '/v1/cache')
    expect(json.images.oldestCheckedAt).toBe('1970-01-01T00:00:00.000Z')
  })

  it('shows, checks and removes the entries of one project only', async () => {
    await api.request('PUT', '/v1/projects/team-a', {})
    const cache = new DatabaseCache(opened.database, { layers: 10, images: 10 })
    const image = { report: {}, size: 70, host: 'docker.io', repository: 'team-a/x', digest: digestOf('x') }
    await cache.in(ProjectScope.of('team-a')).images.put(digestOf('a'), image)
    const inProject = { 'record-broker-project': 'team-a' }
    const shown = await api.request('GET', '/v1/cache', undefined, inProject)
    expect(shown.json).toMatchObject({
      images: { entryCount: 1, bytes: 70 },
      uses: { images: { reused: 0, converted: 0 } },
    })
    expect((await api.request('GET', '/v1/cache')).json.images.entryCount).toBe(4)
    const checked = await api.request('POST', '/v1/cache/check', undefined, inProject)
    expect(checked.json).toEqual({ layerCount: 0, imageCount: 1 })
    const foreign = await api.request('DELETE', `/v1/cache?digest=${digestOf('b')}`, undefined, inProject)
    expect(foreign.json).toEqual({ layerCount: 0, imageCount: 0 })
    const purged = await api.request('DELETE', '/v1/cache', undefined, inProject)
    expect(purged.json).toEqual({ layerCount: 0, imageCount: 1 })
    expect((await api.request('GET', '/v1/cache')).json.images.entryCount).toBe(3)
  })

  it('purges the selected entries', async () => {
    const purge = (query: string) => api.request('DELETE', `/v1/cache${query}`)
    expect((await purge(`?digest=${digestOf('a')}`)).json).toEqual({ layerCount: 0, imageCount: 1 })
    expect((await purge('?registry=docker.io&repository=team/b')).json).toEqual({
      layerCount: 0,
      imageCount: 1,
    })
    expect((await purge('?registry=nowhere.test')).json).toEqual({ layerCount: 0, imageCount: 0 })
    for (const query of ['?registry=a/b', '?repository=UPPER', '?digest=sha256:1', '?repo=team/c']) {
      expect((await purge(query)).status).toBe(400)
    }
    expect((await api.request('GET', '/v1/cache')).json.images.entryCount).toBe(1)
    expect((await purge('')).json).toEqual({ layerCount: 0, imageCount: 1 })
  })
})
