import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import { projectCallers } from '../../../test/support/project-callers.ts'
import { RegistryApi } from '../../../test/support/registry-api.ts'
import { ProjectRules } from '../../access/projects/project.ts'

const UNKNOWN_ID = '019ab000-0000-7000-8000-000000000000'
const PROFILE = '/usr/bin/app\n'

describeDatabases('the records of two projects', (open) => {
  let api: RegistryApi
  let host: string
  beforeAll(async () => {
    api = await RegistryApi.open({
      open,
      app: { callerSources: [projectCallers()], demandsCredential: true },
    })
    host = api.host
    const put = (name: string, rules: object) => api.services.projects.put(name, ProjectRules.parse(rules))
    await put('team-a', { read: [`${host}/team/app`], write: [`${host}/team-a/**`] })
    await put('team-b', { read: [`${host}/team/**`], write: [`${host}/team-b/**`], quotas: { records: 2 } })
  })
  afterAll(() => api[Symbol.asyncDispose]())

  const upload = (token: string, query = '', body = PROFILE) =>
    api.request('POST', `/v1/records${query}`, { token, body })
  const list = async (token: string, query = '') => {
    const { items } = (await api.request('GET', `/v1/records${query}`, { token })).json
    return items.map(({ id }: { id: string }) => id)
  }

  it('are separate, and visible to administrators', async () => {
    const a = await upload('team-a')
    const b = await upload('team-b')
    expect([a.status, b.status]).toEqual([201, 201])
    expect(a.json).toMatchObject({ project: 'team-a', digest: b.json.digest })
    expect(b.json.id).not.toBe(a.json.id)
    expect(await list('team-a')).toEqual([a.json.id])
    expect(await list('team-b')).toEqual([b.json.id])
    expect(await list('admin')).toEqual([b.json.id, a.json.id])
    expect(await list('admin', '?project=team-a')).toEqual([a.json.id])
    expect(await list('team-b', '?project=team-a')).toEqual([])
    expect(await list('team-b', '?project=team-b')).toEqual([b.json.id])
  })

  it('of another project are like those that do not exist', async () => {
    const [foreign] = await list('team-a')
    const [own] = await list('team-b')
    const image = `${host}/team/app:1.0`
    const requests = (id: string): [method: 'GET' | 'POST' | 'DELETE', url: string, body?: object][] => [
      ['GET', `/v1/records/${id}`],
      ['GET', `/v1/records/${id}/content`],
      ['DELETE', `/v1/records/${id}`],
      ['GET', `/v1/records/${own}/diff/${id}`],
      ['GET', `/v1/records/${id}/diff/${own}`],
      ['POST', '/v1/records/merges', { records: [own, id], strategy: 'union' }],
      ['POST', `/v1/records/${id}/evaluations`, { image }],
      ['POST', `/v1/records/${id}/retargets`, { image }],
      ['POST', `/v1/records/${id}/publications`, { reference: `${host}/team-b/app:record` }],
      ['POST', '/v1/conversions', { source: image, target: `${host}/team-b/app:1`, record: { id } }],
    ]
    const missing = requests(UNKNOWN_ID)
    for (const [n, [method, url, body]] of requests(foreign).entries()) {
      const ofForeign = await api.request(method, url, { token: 'team-b', ...(body && { body }) })
      const [, unknownUrl = '', unknownBody] = missing[n] ?? []
      const ofMissing = await api.request(method, unknownUrl, {
        token: 'team-b',
        ...(unknownBody && { body: unknownBody }),
      })
      const comparable = ({ status, text }: { status: number; text: string }) => [
        status,
        text.replaceAll(foreign, UNKNOWN_ID).replace(/"requestId":"[^"]*"/, ''),
      ]
      expect(ofForeign.status, url).toBeGreaterThanOrEqual(400)
      expect(comparable(ofForeign), url).toEqual(comparable(ofMissing))
    }
    expect(await list('team-a')).toEqual([foreign])
  })

  it('are refused beyond a quota, unless they are stored already', async () => {
    expect((await upload('team-b', '', '/other\n')).status).toBe(201)
    const refused = await upload('team-b', '', '/third\n')
    expect(refused.json).toMatchObject({
      code: 'RECORD_QUOTA_EXCEEDED',
      detail: expect.stringMatching(/team-b has 2 records.* records is 2/),
    })
    expect((await upload('team-b', '', '/other\n')).status).toBe(200)
    const ids = await list('team-b')
    const merged = await api.request('POST', '/v1/records/merges', {
      token: 'team-b',
      body: { records: ids, strategy: 'union' },
    })
    expect(merged.json.code).toBe('RECORD_QUOTA_EXCEEDED')
    await api.request('DELETE', `/v1/records/${ids[0]}`, { token: 'team-b' })
    expect((await upload('team-b', '', '/third\n')).status).toBe(201)
    expect((await upload('team-a', '', '/third\n')).status).toBe(201)
  })

  it('name only images that the project may read', async () => {
    const before = api.requests.length
    const refused = await upload('team-a', `?image=${host}/other/app:1`)
    expect([refused.status, refused.json.code]).toEqual([403, 'REPOSITORY_NOT_ALLOWED'])
    expect(refused.json.errors).toMatchObject([{ path: 'querystring.image' }])
    expect(api.requests).toHaveLength(before)
    const allowed = await upload('team-a', `?image=${host}/team/app:1.0`)
    expect(allowed.json.inImage).toMatchObject({ platforms: [{ foundCount: 1 }] })
    const merged = await api.request('POST', '/v1/records/merges', {
      token: 'team-a',
      body: { records: await list('team-a'), strategy: 'union', image: `${host}/other/app:1` },
    })
    expect([merged.status, merged.json.code]).toEqual([403, 'REPOSITORY_NOT_ALLOWED'])
  })

  it('are published in places of their own, with the scope and the permission for that', async () => {
    const query = `?image=${host}/team/app:1.0&workload=serve&publish=true`
    const published = await upload('team-a', query, '/usr/bin/app\n/a\n')
    expect(published.json.publications).toMatchObject([
      { reference: `${host}/team-a/team/app:record-1.0-serve` },
    ])
    const ofDefault = await upload('admin', query, '/usr/bin/app\n/b\n')
    expect(ofDefault.json.publications).toMatchObject([{ reference: `${host}/team/app:record-1.0-serve` }])
    const unscoped = await upload('team-a/records:write', query, '/usr/bin/app\n/c\n')
    expect([unscoped.status, unscoped.json.code]).toEqual([403, 'ACCESS_DENIED'])
    const named = await api.request('POST', `/v1/records/${published.json.id}/publications`, {
      token: 'team-a',
      body: { reference: `${host}/team/app:mine` },
    })
    expect([named.status, named.json.code]).toEqual([403, 'REPOSITORY_NOT_ALLOWED'])
  })

  it('of an administrator belong to the project whose patterns apply', async () => {
    const [id] = await list('team-a')
    await api.services.projects.put('default', ProjectRules.parse({ read: [`${host}/team-b/**`] }))
    const image = `${host}/team/app:1.0`
    const before = api.requests.length
    for (const [url, body] of [
      [`/v1/records/${id}/evaluations`, { image }],
      [`/v1/records/${id}/retargets`, { image }],
      [`/v1/records/${id}/publications`, { reference: `${host}/team/app:mine` }],
      [`/v1/records/${id}/publications`, { attachTo: image }],
      [`/v1/records?image=${image}&publish=true`, PROFILE],
      [`/v1/records?publish=${image}`, PROFILE],
    ] as const) {
      const { status, json } = await api.request('POST', url, { token: 'admin', body })
      expect([url, status, json.code]).toEqual([url, 403, 'REPOSITORY_NOT_ALLOWED'])
      expect(json.detail).toContain('the result would belong to the project default')
    }
    expect(api.requests).toHaveLength(before)
    await api.services.projects.put('default', ProjectRules.parse({ read: ['**'], write: ['**'] }))
  })

  it('are removed by retention within the project, with the record images that it may write', async () => {
    const body = { rules: { keepNewest: 0, keepPublished: false }, recordImages: true }
    const retain = (token: string, plan?: string) =>
      api.request('POST', '/v1/retention', { token, body: { ...body, ...(plan && { plan }) } })
    const [ofA, ofB] = [await list('team-a'), await list('team-b')]
    const dry = await retain('team-a')
    expect(dry.json.records.map(({ id }: { id: string }) => id).sort()).toEqual(ofA.toSorted())
    expect(dry.json.recordImages).toMatchObject([{ reference: `${host}/team-a/team/app:record-1.0-serve` }])
    const done = await retain('team-a', dry.json.plan)
    expect(done.json.recordImages).toMatchObject([{ removed: true }])
    expect(await list('team-a')).toEqual([])
    expect(await list('team-b')).toEqual(ofB)
    const tags = await Array.fromAsync(
      api.registries.repository({ host, repository: 'team/app' }).listTags({}),
    )
    expect(tags).toContain('record-1.0-serve')
  })
})
