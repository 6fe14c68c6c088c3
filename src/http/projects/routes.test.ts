import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { KEY_BYTES, KeyRing } from '../../access/key-ring.ts'
import { ApiTokens } from '../../access/tokens/api-tokens.ts'

const RULES = {
  description: 'The builds of team A.',
  read: ['r.test/**'],
  write: ['r.test/a/**', 'embedded/a/**'],
  usesDockerConfig: false,
  quotas: { records: 10, queuedJobs: 3 },
}

describeDatabases('the API of projects', (open) => {
  let opened: TestDatabase
  let api: JobApi
  beforeAll(async () => {
    opened = await open()
    const tokens = new ApiTokens(opened.database, { keys: new KeyRing([randomBytes(KEY_BYTES)]) })
    api = await JobApi.open(opened, { tokens })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })

  it('creates a project and replaces its rules', async () => {
    const created = await api.request('PUT', '/v1/projects/new', RULES)
    expect(created).toMatchObject({ status: 201, json: { name: 'new', ...RULES } })
    const replaced = await api.request('PUT', '/v1/projects/new', { read: ['**'] })
    expect(replaced).toMatchObject({ status: 200, json: { read: ['**'], write: [], quotas: {} } })
    expect((await api.request('GET', '/v1/projects/new')).json).toEqual(replaced.json)
    expect((await api.request('DELETE', '/v1/projects/new')).status).toBe(204)
    for (const method of ['GET', 'DELETE'] as const) {
      const gone = await api.request(method, '/v1/projects/new')
      expect(gone.json).toMatchObject({ status: 404, code: 'PROJECT_NOT_FOUND' })
    }
  })

  it.each([
    ['team_a', {}, 'params.name'],
    ['team-a', { read: ['*'] }, 'body.read.0'],
    ['team-a', { quotas: { jobs: 1 } }, 'body.quotas'],
    ['team-a', { quotas: { records: -1 } }, 'body.quotas.records'],
    ['team-a', { admin: true }, 'body'],
  ])('names what is wrong in %s %j', async (name, body, path) => {
    const { json } = await api.request('PUT', `/v1/projects/${name}`, body)
    expect(json).toMatchObject({ status: 400, code: 'INVALID_REQUEST' })
    expect(json.errors[0].path).toContain(path)
  })

  it('always has the default project', async () => {
    const { json } = await api.request('GET', '/v1/projects/default')
    expect(json).toMatchObject({ name: 'default', read: ['**'], write: ['**'], usesDockerConfig: true })
    expect((await api.request('DELETE', '/v1/projects/default')).json).toMatchObject({
      status: 409,
      code: 'PROJECT_IN_USE',
    })
    const { items } = (await api.request('GET', '/v1/projects')).json
    expect(items.map(({ name }: { name: string }) => name)).toContain('default')
  })

  it('shows the use of each quota', async () => {
    await api.request('PUT', '/v1/projects/team-a', RULES)
    const inA = { 'record-broker-project': 'team-a' }
    const conversion = { source: 'r.test/a/app:1', target: 'r.test/a/app:1-esgz' }
    expect((await api.request('POST', '/v1/conversions', conversion, inA)).status).toBe(202)
    const text = { ...inA, 'content-type': 'text/plain' }
    const uploaded = await api.app.inject({
      method: 'POST',
      url: '/v1/records',
      headers: text,
      payload: '/usr/bin/app\n',
    })
    expect(uploaded.statusCode).toBe(201)
    const usage = await api.request('GET', '/v1/projects/team-a/usage')
    expect(usage.json).toEqual({
      project: 'team-a',
      records: { used: 1, limit: 10 },
      queuedJobs: { used: 1, limit: 3 },
      runningJobs: { used: 0 },
      // These tests have no embedded registry.
      storedBytes: {},
    })
    const other = await api.request('GET', '/v1/projects/default/usage')
    expect(other.json).toMatchObject({ records: { used: 0 }, queuedJobs: { used: 0 } })
  })

  it('keeps a project while it has unfinished jobs or usable tokens', async () => {
    const inB = { 'record-broker-project': 'team-b' }
    await api.request('PUT', '/v1/projects/team-b', RULES)
    const token = await api.request('POST', '/v1/tokens', { name: 'ci', scopes: ['records:read'] }, inB)
    const conversion = { source: 'r.test/a/app:1', target: 'r.test/a/app:2-esgz' }
    const job = await api.request('POST', '/v1/conversions', conversion, inB)
    const remove = async () => (await api.request('DELETE', '/v1/projects/team-b')).json
    expect((await remove()).detail).toContain('1 queued and 0 running jobs')
    await api.request('POST', `/v1/conversions/${job.json.id}/cancel`)
    expect(await remove()).toMatchObject({ status: 409, code: 'PROJECT_IN_USE' })
    expect((await remove()).detail).toContain(token.json.id)
    await api.request('DELETE', `/v1/tokens/${token.json.id}`)
    expect(await remove()).toBeUndefined()
  })

  it('shows callers that are no administrators their own project, and no other', async () => {
    await api.request('PUT', '/v1/projects/team-c', RULES)
    await api.request('PUT', '/v1/projects/team-d', RULES)
    const body = { name: 'ci', scopes: ['records:read'], project: 'team-c' }
    const { token } = (await api.request('POST', '/v1/tokens', body)).json
    const headers = { authorization: `Bearer ${token}` }
    const get = (path: string) => api.request('GET', `/v1/projects${path}`, undefined, headers)
    expect((await get('/team-c')).json).toMatchObject({ name: 'team-c', ...RULES })
    expect((await get('/team-c/usage')).json).toMatchObject({ records: { used: 0, limit: 10 } })
    for (const path of ['', '/usage']) {
      const [other, none] = [await get(`/team-d${path}`), await get(`/team-x${path}`)]
      expect(other.status).toBe(404)
      const { requestId: _, ...problem } = other.json
      expect(none.json).toMatchObject({ ...problem, detail: problem.detail.replace('team-d', 'team-x') })
    }
    expect((await get('')).status).toBe(403)
    for (const method of ['PUT', 'DELETE'] as const)
      expect((await api.request(method, '/v1/projects/team-c', {}, headers)).status).toBe(403)
  })

  it('gives no project what the credential of an administrator may not use', async () => {
    await api.request('PUT', '/v1/projects/team-e', { read: ['r.test/**'] })
    const body = { name: 'narrow', scopes: ['admin'], read: ['r.test/**'], write: [] }
    const { token } = (await api.request('POST', '/v1/tokens', body)).json
    const narrow = { authorization: `Bearer ${token}` }
    const put = (rules: object, headers: Record<string, string> = {}) =>
      api.request('PUT', '/v1/projects/team-e', rules, { ...narrow, ...headers })
    // Its tokens would have more than their maker.
    expect((await put({ read: ['**'] })).json).toMatchObject({ status: 403, code: 'ACCESS_DENIED' })
    expect((await put({ write: ['r.test/a'] })).json.detail).toContain('write')
    expect((await put({ read: ['r.test/a'] })).status).toBe(200)
    // Working in the project does not hold an administrator to its present rules.
    const inProject = { 'record-broker-project': 'team-e' }
    expect((await put({ read: ['r.test/**'] }, inProject)).status).toBe(200)
  })

  it('lists projects in pages', async () => {
    for (const name of ['page-1', 'page-2', 'page-3']) await api.request('PUT', `/v1/projects/${name}`, RULES)
    const names: string[] = []
    let cursor = ''
    do {
      const { json } = await api.request('GET', `/v1/projects?limit=2${cursor}`)
      names.push(...json.items.map(({ name }: { name: string }) => name))
      cursor = json.next === undefined ? '' : `&cursor=${json.next}`
    } while (cursor !== '')
    expect(names).toEqual([...new Set(names)].toSorted())
    expect(names).toEqual(expect.arrayContaining(['default', 'page-1', 'page-2', 'page-3']))
  })
})
