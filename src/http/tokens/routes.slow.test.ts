import { randomBytes } from 'node:crypto'
import type { FastifyPluginAsync } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { KEY_BYTES, KeyRing } from '../../access/key-ring.ts'
import { ApiTokens, type ApiTokensOptions } from '../../access/tokens/api-tokens.ts'
import { requires } from '../access/security.ts'

const OPERATOR = 'the-token-of-the-operator'
const UNKNOWN_ID = '019ab000-0000-7000-8000-000000000000'
const ADMIN = { authorization: `Bearer ${OPERATOR}` }
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const basic = (token: string) => ({ authorization: `Basic ${Buffer.from(`ci:${token}`).toString('base64')}` })

function openApi(opened: TestDatabase, options: ApiTokensOptions = {}): Promise<JobApi> {
  const keys = new KeyRing([randomBytes(KEY_BYTES)])
  const tokens = new ApiTokens(opened.database, { keys, ...options })
  return JobApi.open(opened, { tokens }, { token: OPERATOR })
}

/** Creates a token of the default project, or as `body` says, and returns the response. */
async function create(api: JobApi, body: object, headers: Record<string, string> = ADMIN) {
  const response = await api.request(
    'POST',
    '/v1/tokens',
    { name: 'ci', project: 'default', scopes: ['records:read'], ...body },
    headers,
  )
  return { ...response, token: response.json.token as string, id: response.json.id as string }
}

describeDatabases('the API of tokens', (open) => {
  let opened: TestDatabase
  let api: JobApi
  beforeAll(async () => {
    opened = await open()
    api = await openApi(opened)
    const rules = { read: ['r.test/**'], write: ['r.test/a/**'] }
    for (const name of ['team-a', 'team-b']) await api.request('PUT', `/v1/projects/${name}`, rules, ADMIN)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })
  beforeEach(async () => {
    await opened.database.query.deleteFrom('api_tokens').execute()
  })

  it('shows a secret once, and gives its holder what it allows', async () => {
    const created = await create(api, { project: 'team-a', read: ['r.test/x'] })
    expect(created.status).toBe(201)
    expect(created.headers.location).toBe(`/v1/tokens/${created.id}`)
    expect(created.headers['cache-control']).toBe('no-store')
    const { token, ...view } = created.json
    expect(view).toMatchObject({
      name: 'ci',
      project: 'team-a',
      scopes: ['records:read'],
      read: ['r.test/x'],
      write: ['**'],
      state: 'usable',
      createdBy: 'operator',
      prefix: token.slice(0, 10),
    })
    expect(Date.parse(view.expiresAt) - Date.parse(view.createdAt)).toBe(90 * 86_400_000)
    const shown = await api.request('GET', `/v1/tokens/${created.id}`, undefined, ADMIN)
    expect(shown.json).toEqual(view)
    const caller = await api.request('GET', '/v1/caller', undefined, bearer(token))
    expect(caller.json).toMatchObject({
      kind: 'token',
      subject: 'ci',
      tokenId: created.id,
      project: 'team-a',
      seesAllProjects: false,
      scopes: ['records:read'],
      read: [['r.test/x'], ['r.test/**']],
      write: [['r.test/a/**']],
    })
    expect((await api.request('GET', '/v1/records', undefined, bearer(token))).status).toBe(200)
    const refused = await api.request('GET', '/v1/conversions', undefined, bearer(token))
    expect([refused.status, refused.json.code]).toEqual([403, 'ACCESS_DENIED'])
    expect(refused.json.detail).toContain('needs the scope conversions:read')
    // Basic is for registry clients.
    expect((await api.request('GET', '/v1/records', undefined, basic(token))).status).toBe(401)
  })

  it('is for administrators', async () => {
    const { token, id } = await create(api, { project: 'team-a' })
    for (const [method, url] of [
      ['POST', '/v1/tokens'],
      ['GET', '/v1/tokens'],
      ['GET', `/v1/tokens/${id}`],
      ['DELETE', `/v1/tokens/${id}`],
      ['POST', `/v1/tokens/${id}/rotation`],
    ] as const) {
      const response = await api.request(method, url, method === 'POST' ? {} : undefined, bearer(token))
      expect([url, response.status, response.json.code]).toEqual([url, 403, 'ACCESS_DENIED'])
    }
  })

  it('tells the holder of a token that has ended why', async () => {
    const { token, id } = await create(api, {})
    expect((await api.request('DELETE', `/v1/tokens/${id}`, undefined, ADMIN)).status).toBe(204)
    const revoked = await api.request('GET', '/v1/records', undefined, bearer(token))
    expect([revoked.status, revoked.json.code]).toEqual([401, 'CREDENTIAL_REJECTED'])
    expect(revoked.json.detail).toMatch(/was revoked at/)
    expect(revoked.json.detail).not.toContain(token)
    const last = token.at(-1) === 'a' ? 'b' : 'a'
    const wrong = await api.request('GET', '/v1/records', undefined, bearer(`${token.slice(0, -1)}${last}`))
    expect([wrong.status, wrong.json.code]).toEqual([401, 'UNAUTHORIZED'])
    const listed = await api.request('GET', '/v1/tokens?state=revoked', undefined, ADMIN)
    expect(listed.json.items).toMatchObject([{ id, state: 'revoked', revokedAt: expect.any(String) }])
    expect((await api.request('DELETE', `/v1/tokens/${UNKNOWN_ID}`, undefined, ADMIN)).status).toBe(404)
  })

  it('replaces a token, and ends the former one after the overlap', async () => {
    const first = await create(api, { project: 'team-a', lifetimeSeconds: 3600 })
    const rotate = (id: string, body: object = {}) =>
      api.request('POST', `/v1/tokens/${id}/rotation`, body, ADMIN)
    const second = await rotate(first.id)
    expect(second).toMatchObject({ status: 201, json: { name: 'ci', project: 'team-a', state: 'usable' } })
    const { createdAt, expiresAt } = second.json
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(3_600_000)
    for (const token of [first.token, second.json.token])
      expect((await api.request('GET', '/v1/records', undefined, bearer(token))).status).toBe(200)
    expect((await rotate(first.id)).json).toMatchObject({ status: 409, code: 'TOKEN_NOT_USABLE' })
    const third = await rotate(second.json.id, { overlapSeconds: 0, lifetimeSeconds: null })
    expect(third.json.expiresAt).toBeUndefined()
    const ended = await api.request('GET', '/v1/records', undefined, bearer(second.json.token))
    expect(ended.json).toMatchObject({ status: 401, code: 'CREDENTIAL_REJECTED' })
    expect(ended.json.detail).toContain(`was replaced by ${third.json.id}`)
    expect((await rotate(UNKNOWN_ID)).status).toBe(404)
  })

  it('does not store a secret under an idempotency key', async () => {
    const headers = { ...ADMIN, 'idempotency-key': 'once' }
    const { token, id } = await create(api, {}, headers)
    const again = await create(api, {}, headers)
    expect(again.json).toMatchObject({ status: 409, code: 'SECRET_ALREADY_SHOWN' })
    expect(again.json.detail).toContain(`/v1/tokens/${id}`)
    expect(again.headers['idempotency-replayed']).toBe('true')
    const rows = await opened.database.query.selectFrom('request_keys').selectAll().execute()
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain(token.slice(10))
    expect((await api.request('GET', '/v1/tokens', undefined, ADMIN)).json.items).toHaveLength(1)
  })

  it('gives no token more than its maker has', async () => {
    const narrow = await create(api, { scopes: ['admin'], read: ['r.test/**'], write: ['r.test/a/**'] })
    const as = { ...bearer(narrow.token) }
    const wide = await create(api, { scopes: ['admin'] }, as)
    expect(wide.json).toMatchObject({ status: 403, code: 'ACCESS_DENIED' })
    expect(wide.json.detail).toContain('read')
    const same = { scopes: ['admin'], read: ['r.test/x'], write: ['r.test/a/**'] }
    expect((await create(api, same, as)).status).toBe(201)
    // What its project does not have, a token does not have.
    expect((await create(api, { project: 'team-a' }, as)).status).toBe(201)
    await api.request('PUT', '/v1/projects/team-b', { read: ['**'], write: [] }, ADMIN)
    expect((await create(api, { project: 'team-b' }, as)).status).toBe(403)
    const other = await create(api, {})
    expect((await api.request('POST', `/v1/tokens/${other.id}/rotation`, {}, as)).status).toBe(403)
  })

  it('keeps an administrator who works in one project to that project', async () => {
    const inA = { ...ADMIN, 'record-broker-project': 'team-a' }
    const own = await create(api, { project: undefined }, inA)
    expect(own.json.project).toBe('team-a')
    const other = await create(api, { project: 'team-b' })
    expect((await api.request('GET', '/v1/tokens', undefined, inA)).json.items).toMatchObject([
      { id: own.id },
    ])
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/rotation'],
    ] as const)
      expect(
        (await api.request(method, `/v1/tokens/${other.id}${path}`, path ? {} : undefined, inA)).status,
      ).toBe(404)
    expect((await create(api, { project: 'team-b' }, inA)).status).toBe(403)
    expect((await create(api, { scopes: ['admin'] }, inA)).status).toBe(403)
    const filtered = await api.request('GET', '/v1/tokens?project=team-b', undefined, ADMIN)
    expect(filtered.json.items).toMatchObject([{ id: other.id }])
  })

  it.each([
    [{ name: '' }, 'body.name'],
    [{ scopes: [] }, 'body.scopes'],
    [{ scopes: ['records:all'] }, 'body.scopes.0'],
    [{ read: ['r.test/*'] }, 'body.read.0'],
    [{ project: 'Team' }, 'body.project'],
    [{ lifetimeSeconds: 0 }, 'body.lifetimeSeconds'],
    [{ project: 'team-a', scopes: ['admin'] }, 'body.project'],
    [{ secret: 'x' }, 'body'],
  ])('names the field that is wrong in %j', async (body, path) => {
    const response = await create(api, body)
    expect(response.json).toMatchObject({ status: 400, code: 'INVALID_REQUEST' })
    expect(response.json.errors[0].path).toContain(path)
  })

  it('guesses no project as soon as there is another than the default one', async () => {
    const refused = await create(api, { project: undefined })
    expect(refused.json).toMatchObject({
      status: 400,
      code: 'PROJECT_REQUIRED',
      errors: [{ path: 'body.project' }],
    })
    const admin = await create(api, { project: undefined, scopes: ['admin'] })
    expect(admin.json).toMatchObject({ project: 'default' })
    const alone = await temporarySqlite()
    await using unshared = await openApi(alone)
    await unshared.request('PUT', '/v1/projects/default', { read: [] }, ADMIN)
    expect((await create(unshared, { project: undefined })).json).toMatchObject({ project: 'default' })
    await alone.close()
  })

  it('knows no tokens of projects that do not exist', async () => {
    expect((await create(api, { project: 'none' })).json).toMatchObject({
      status: 404,
      code: 'PROJECT_NOT_FOUND',
    })
  })

  it('bounds how long tokens are valid', async () => {
    await using bounded = await openApi(opened, { maxDays: 30 })
    const day = 86_400
    const tooLong = await create(bounded, { lifetimeSeconds: 31 * day })
    expect(tooLong.json).toMatchObject({ status: 422, code: 'LIMIT_EXCEEDED' })
    expect(tooLong.json.detail).toContain('RECORD_BROKER_TOKEN_MAX_DAYS')
    expect((await create(bounded, { lifetimeSeconds: null })).status).toBe(422)
    const { json } = await create(bounded, {})
    expect(Date.parse(json.expiresAt) - Date.parse(json.createdAt)).toBe(30 * day * 1000)
    expect((await create(api, { lifetimeSeconds: null })).json.expiresAt).toBeUndefined()
  })

  it('names the setting that is missing', async () => {
    await using keyless = await openApi(opened, { keys: undefined })
    const { json } = await create(keyless, {})
    expect(json).toMatchObject({ status: 422, code: 'NO_SECRET_KEY' })
    expect(json.detail).toContain('RECORD_BROKER_SECRET_KEY')
  })
})

it('registry clients send a token as the password', async () => {
  const opened = await temporarySqlite()
  const tokens = new ApiTokens(opened.database, { keys: new KeyRing([randomBytes(KEY_BYTES)]) })
  const registryPlugin: FastifyPluginAsync = async (app) => {
    app.get(
      '/v2/',
      { schema: { security: requires('registry:pull') } },
      async ({ caller }) => caller.identity,
    )
  }
  await using api = await JobApi.open(opened, { tokens }, { token: OPERATOR, registryPlugin })
  const { token } = await create(api, { scopes: ['registry:pull'] })
  const other = await create(api, { scopes: ['registry:push'] })
  const get = (headers: Record<string, string>) => api.request('GET', '/v2/', undefined, headers)
  for (const headers of [basic(token), bearer(token)]) expect((await get(headers)).json.subject).toBe('ci')
  expect((await get(basic(other.token))).status).toBe(403)
  await api.request('DELETE', `/v1/tokens/${other.id}`, undefined, ADMIN)
  expect((await get(basic(other.token))).status).toBe(401)
  await opened.close()
})

describe('a broker that demands no credential', () => {
  it('takes a request without one for the administrator, and one with a token for its caller', async () => {
    const opened = await temporarySqlite()
    const tokens = new ApiTokens(opened.database, { keys: new KeyRing([randomBytes(KEY_BYTES)]) })
    await using api = await JobApi.open(opened, { tokens })
    const { token } = await create(api, {}, {})
    const kindOf = async (headers: Record<string, string>) =>
      (await api.request('GET', '/v1/caller', undefined, headers)).json.kind
    expect(await kindOf({})).toBe('local')
    expect(await kindOf(bearer(token))).toBe('token')
    expect((await api.request('GET', '/v1/conversions', undefined, bearer(token))).status).toBe(403)
    expect((await api.request('GET', '/v1/records', undefined, bearer('wrong'))).status).toBe(401)
    await opened.close()
  })
})
