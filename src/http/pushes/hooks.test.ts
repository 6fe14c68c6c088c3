import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { TagMoves } from '../../jobs/claims/tag-moves.ts'
import { RegistryError } from '../../registry/errors.ts'

const digest = (n: number) => `sha256:${String(n).padStart(64, '0')}`
const never = new AbortController().signal

describeDatabases('push notifications', (open) => {
  let opened: TestDatabase
  let api: JobApi
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(opened, {
      maxRules: 5,
      assertReferenceAllowed: (reference) => {
        if (reference.startsWith('broken.')) throw new TypeError('a bug with a secret in its message')
        if (!reference.startsWith('evil.')) return
        throw new RegistryError('HOST_NOT_ALLOWED', {
          operation: 'use',
          host: 'evil.test',
          reason: 'is not allowed',
        })
      },
    })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })
  beforeEach(async () => {
    await opened.database.query.deleteFrom('jobs').execute()
    await opened.database.query.deleteFrom('rules').execute()
  })

  const rule = async (fields: object = {}) => {
    const body = { name: 'r', source: 'r.test/team/**', target: '{host}/{repository}:{tag}-esgz', ...fields }
    const response = await api.request('POST', '/v1/rules', body)
    expect(response.status).toBe(201)
    return response.json.id as string
  }
  const jobs = async () =>
    (await api.request('GET', '/v1/conversions')).json.items.map(
      ({ source, target }: Record<string, string>) => [source, target],
    )
  const notify = (
    repository: string,
    tag: string | undefined,
    n = 1,
    mediaType = 'application/vnd.oci.image.manifest.v1+json',
  ) =>
    api.request(
      'POST',
      '/v1/hooks/distribution',
      {
        events: [
          {
            action: 'push',
            target: { mediaType, repository, digest: digest(n), ...(tag && { tag }) },
            request: { host: 'r.test' },
          },
        ],
      },
      { 'content-type': 'application/vnd.docker.distribution.events.v1+json' },
    )
  const upload = (image: string, payload: string) =>
    api.app.inject({
      method: 'POST',
      url: `/v1/records?image=${image}`,
      headers: { 'content-type': 'text/plain' },
      payload,
    })
  const harbor = (url: string, n = 1, type = 'PUSH_ARTIFACT') => ({
    type,
    occur_at: 1,
    event_data: { resources: [{ resource_url: url, digest: digest(n), tag: 'x' }], repository: {} },
  })

  it('of a distribution registry start the conversions that rules specify', async () => {
    const id = await rule({ tags: ['v*'], exceptTags: ['*-dev'] })
    const response = await notify('team/app', 'v1')
    expect(response.json.items).toMatchObject([
      { image: 'r.test/team/app:v1', conversions: [{ ruleId: id }] },
    ])
    await notify('team/app', 'v1-dev')
    await notify('team/app', 'latest')
    await notify('other/app', 'v1')
    await notify('team/app', undefined)
    await notify('team/app', 'v2', 1, 'application/octet-stream')
    expect(await jobs()).toEqual([['r.test/team/app:v1', 'r.test/team/app:v1-esgz']])
  })

  it('convert an image once when repeated, and again after another push to the tag', async () => {
    await rule()
    for (let n = 0; n < 5; n++) await notify('team/app', 'v1', 1)
    expect(await jobs()).toHaveLength(1)
    await notify('team/app', 'v1', 2)
    expect(await jobs()).toHaveLength(2)
    await api.finishNextJob()
    await notify('team/app', 'v1', 1)
    expect(await jobs()).toHaveLength(2)
    const claimed = await api.leases.claim('w')
    if (claimed) await api.leases.fail(claimed.lease, { code: 'DENIED', message: 'x' })
    await notify('team/app', 'v1', 2)
    expect((await api.request('GET', '/v1/conversions/counts')).json).toMatchObject({ queued: 1, failed: 0 })
  })

  it('of images that the broker pushed itself are ignored', async () => {
    await rule({ target: '{host}/{repository}:{tag}', overwrite: true })
    await notify('team/app', 'v1', 1)
    const claimed = await api.leases.claim('w')
    if (!claimed) throw new Error('no job')
    const guard = new TagMoves(opened.database).guard({
      lease: claimed.lease,
      signal: never,
      isLeaseHeld: () => true,
    })
    await guard({ target: 'r.test/team/app:v1', digest: digest(7) }, async () => {})
    const own = await notify('team/app', 'v1', 7)
    expect(own.json.items).toMatchObject([{ conversions: [], ignored: 'the broker pushed it itself' }])
    await api.leases.succeed(claimed.lease, {})
    await notify('team/app', 'v1', 8)
    expect(await jobs()).toHaveLength(2)
  })

  it('of Harbor and CloudEvents of zot and Harbor are supported', async () => {
    await rule()
    await api.request('POST', '/v1/hooks/harbor', harbor('r.test/team/a:1'))
    await api.request('POST', '/v1/hooks/harbor', harbor(`r.test/team/a@${digest(3)}`))
    await api.request('POST', '/v1/hooks/harbor', harbor('r.test/team/a:2', 1, 'PULL_ARTIFACT'))
    await api.request('POST', '/v1/hooks/harbor?host=r.test', harbor('internal:8080/team/b:1'))
    const event = { specversion: '1.0', id: '1', source: 'r.test' }
    const type = { 'content-type': 'application/cloudevents+json' }
    const zot = { name: 'team/c', reference: '1', digest: digest(4), mediaType: 'x' }
    await api.request(
      'POST',
      '/v1/hooks/cloudevents',
      { ...event, type: 'zotregistry.image.updated', data: zot },
      type,
    )
    const { event_data } = harbor('r.test/team/d:1')
    await api.request(
      'POST',
      '/v1/hooks/cloudevents',
      { ...event, type: 'harbor.artifact.pushed', data: event_data },
      type,
    )
    expect((await jobs()).map(([source]: string[]) => source).toSorted()).toEqual([
      'r.test/team/a:1',
      'r.test/team/b:1',
      'r.test/team/c:1',
      'r.test/team/d:1',
    ])
    expect(
      (
        await api.request(
          'POST',
          '/v1/hooks/cloudevents',
          { ...event, type: 'zotregistry.image.updated', data: 1 },
          type,
        )
      ).status,
    ).toBe(400)
  })

  it('that one rule cannot convert are converted by others, and the response shows the refusals', async () => {
    const evil = await rule({ target: 'evil.test/x:{tag}' })
    const broken = await rule({ target: 'broken.test/x:{tag}' })
    const old = await rule()
    const document = JSON.stringify({ name: 'r', source: 'r.test/**', target: 'no target' })
    await opened.database.query.updateTable('rules').set({ document }).where('id', '=', old).execute()
    const good = await rule({ onRecord: true, overwrite: true })
    const { status, json, text } = await notify('team/app', 'v1')
    expect(status).toBe(200)
    const [item] = json.items
    expect(item.conversions.map((one: { ruleId: string }) => one.ruleId)).toEqual([good])
    expect(item.refused).toEqual([
      { ruleId: evil, code: 'HOST_NOT_ALLOWED', message: expect.stringContaining('evil.test') },
      { ruleId: broken, code: 'INTERNAL', message: expect.stringContaining('log') },
      { ruleId: old, code: 'INVALID_RULE', message: expect.stringContaining('target') },
    ])
    expect(text).not.toContain('secret')
    await opened.database.query.deleteFrom('jobs').execute()
    expect((await upload('r.test/team/app:v1', '/bin/sh\n')).statusCode).toBe(201)
    expect(await jobs()).toHaveLength(1)
  })

  it('fail with 503 if the queue is full, so that the registry repeats them', async () => {
    await rule({ target: 'evil.test/x:{tag}' })
    await rule()
    await using full = await JobApi.open(opened, { maxQueued: 0 })
    const body = harbor('r.test/team/app:v1')
    expect(await full.request('POST', '/v1/hooks/harbor', body)).toMatchObject({
      status: 503,
      json: { code: 'QUEUE_FULL' },
    })
  })

  it('list a limited number of refusals', async () => {
    for (let n = 0; n < 3; n++) await rule({ target: `evil.test/x${n}:{tag}` })
    const resources = Array.from({ length: 500 }, (_, n) => ({ resource_url: `r.test/team/app:${n}` }))
    const body = { type: 'PUSH_ARTIFACT', event_data: { resources } }
    const { items } = (await api.request('POST', '/v1/hooks/harbor', body)).json
    expect(items).toHaveLength(500)
    for (const { ignored } of items) expect(ignored).toContain('evil.test')
    expect(items.flatMap(({ refused = [] }: { refused?: object[] }) => refused)).toHaveLength(1000)
  })

  it('are matched against a limited number of rules', async () => {
    const ids = []
    for (let n = 0; n < 5; n++) ids.push(await rule())
    const more = { name: 'r', source: 'r.test/**', target: '{host}/{repository}:{tag}-x' }
    expect(await api.request('POST', '/v1/rules', more)).toMatchObject({
      status: 422,
      json: {
        code: 'LIMIT_EXCEEDED',
        detail: expect.stringContaining('RECORD_BROKER_MAX_RULES'),
      },
    })
    expect((await api.request('PUT', `/v1/rules/${ids[0]}`, more)).status).toBe(200)
    const { items } = (await api.request('GET', '/v1/rules')).json
    expect(items.map((one: { id: string }) => one.id)).toEqual(ids)
    await api.request('DELETE', `/v1/rules/${ids[1]}`)
    const racing = await Promise.all([1, 2, 3].map(() => api.request('POST', '/v1/rules', more)))
    expect(racing.map(({ status }) => status).toSorted()).toEqual([201, 422, 422])
  })

  it('are not needed for rules with onRecord: a new record converts its image again', async () => {
    await rule({ onRecord: true, overwrite: true })
    const record = await upload('r.test/team/app:v1', '/bin/bash\n')
    const { items } = (await api.request('GET', '/v1/conversions')).json
    expect(items).toHaveLength(1)
    const { json } = await api.request('GET', `/v1/conversions/${items[0].id}`)
    expect(json.request.record).toEqual({ id: record.json().id })
  })

  it('follow changed rules, and invalid rules are rejected', async () => {
    const id = await rule()
    const { json } = await api.request('GET', `/v1/rules/${id}`)
    const { id: _, project: __, createdAt: ___, updatedAt: ____, ...stored } = json
    await api.request('PUT', `/v1/rules/${id}`, { ...stored, enabled: false })
    await notify('team/app', 'v1')
    expect(await jobs()).toEqual([])
    expect((await api.request('GET', '/v1/rules')).json.items).toHaveLength(1)
    expect((await api.request('DELETE', `/v1/rules/${id}`)).status).toBe(204)
    expect((await api.request('DELETE', `/v1/rules/${id}`)).status).toBe(404)
    const wrong = { name: 'r', source: 'r.test/**' }
    for (const target of [
      '{host}/{repository}:{tag}',
      '{host}/{nothing}',
      'UPPER/x:1',
      '{host}/{repository}',
    ]) {
      expect((await api.request('POST', '/v1/rules', { ...wrong, target })).status).toBe(400)
    }
  })

  it('with a wrong secret learn which setting has the right ones', async () => {
    const secret = 'the secret of the registry'
    await using guarded = await JobApi.open(opened, {}, { hookSecrets: { distribution: [secret] } })
    const rejected = await guarded.request(
      'POST',
      '/v1/hooks/distribution',
      { events: [] },
      { authorization: 'no' },
    )
    expect(rejected).toMatchObject({ status: 401, json: { code: 'UNAUTHORIZED' } })
    expect(rejected.json.detail).toContain('RECORD_BROKER_HOOK_SECRET_DISTRIBUTION')
    expect(rejected.text).not.toContain(secret)
  })

  it('of a Harbor that is configured for acceld get the responses of acceld', async () => {
    await rule()
    const secret = 'Basic c2VjcmV0IG9mIGhhcmJvcg=='
    await using harborApi = await JobApi.open(opened, {}, { hookSecrets: { harbor: [secret] } })
    const headers = { authorization: secret }
    const send = (method: 'GET' | 'POST', url: string, body?: object, given = headers) =>
      harborApi.app.inject({ method, url, headers: given, ...(body && { payload: body }) })
    const rejected = await send('POST', '/api/v1/conversions', harbor('r.test/team/a:1'), {
      authorization: 'no',
    })
    expect([rejected.statusCode, rejected.json().code]).toEqual([401, 'ERR_UNAUTHORIZED'])
    const accepted = await send('POST', '/api/v1/conversions', harbor('r.test/team/a:1'))
    expect([accepted.statusCode, accepted.body]).toEqual([200, '"Ok"'])
    expect((await send('POST', '/api/v1/conversions', { type: 1 })).json().code).toBe('ERR_ILLEGAL_PARAMETER')
    expect((await send('POST', '/api/v1/conversions', harbor('r.test/team/a:1', 1, 'DELETE'))).body).toBe(
      '"Ok"',
    )
    const waiting = send('POST', '/api/v1/conversions?sync=true', harbor('r.test/team/b:1', 9))
    await expect.poll(jobs, { interval: 5 }).toHaveLength(2)
    for (let n = 0; n < 2; n++) await api.finishNextJob({ digest: digest(1), size: 1, sourceSize: 2 })
    expect((await waiting).body).toBe('"Ok"')
    const list = (await send('GET', '/api/v1/conversions')).json()
    expect(list[0]).toMatchObject({
      source: 'r.test/team/b:1',
      source_size: 2,
      target_size: 1,
      status: 'COMPLETED',
      reason: '',
    })
    expect((await send('GET', '/api/v1/health')).body).toBe('Ok')
  })
})
