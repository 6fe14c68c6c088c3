import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { Caller } from '../../access/caller.ts'
import { RepositoryPatterns } from '../../access/repository-patterns.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { EventFeed } from '../../jobs/events/event-feed.ts'
import { EventLog } from '../../jobs/events/event-log.ts'
import type { CallerSource } from '../access/caller-source.ts'

const PATH = '/v1/conversions'
const TABLES = [
  'jobs',
  'batches',
  'request_keys',
  'job_series',
  'job_series_times',
  'project_series',
  'project_series_times',
] as const
const UNKNOWN_ID = '0190ba7c-0000-7000-8000-000000000000'
const EVERYTHING = { read: [RepositoryPatterns.EVERYTHING], write: [RepositoryPatterns.EVERYTHING] }

/** The token of `team-a` that may use a part of what its project may. */
const NARROW = 'narrow'
let narrowReads = RepositoryPatterns.EVERYTHING

/** Accepts the name of a project as a token of this project, and `admin` as that of an administrator. */
const source: CallerSource = {
  identify: async (presented) => {
    if (presented.kind !== 'bearer') return undefined
    const isAdmin = presented.secret === 'admin'
    const isNarrow = presented.secret === NARROW
    const part = new RepositoryPatterns(['r.test/part/**'])
    return new Caller({
      identity: { kind: 'token', subject: presented.secret },
      scopes: isAdmin ? ['admin'] : ['conversions:read', 'conversions:write'],
      projectScope: isAdmin ? ProjectScope.ALL : ProjectScope.of(isNarrow ? 'team-a' : presented.secret),
      access: isNarrow ? { read: [narrowReads], write: [part] } : EVERYTHING,
    })
  },
}

describeDatabases('the jobs of two projects', (open) => {
  let opened: TestDatabase
  let api: JobApi
  let events: EventFeed
  let count = 0

  beforeAll(async () => {
    opened = await open()
    events = new EventFeed(opened.database, new EventLog(opened.database))
    api = await JobApi.open(opened, {}, { callerSources: [source], demandsCredential: true })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })
  beforeEach(async () => {
    for (const table of TABLES) {
      await opened.database.query.deleteFrom(table).execute()
    }
    for (const name of ['team-a', 'team-b']) await setQuotas(name, {})
  })

  const setQuotas = (name: string, quotas: object) => {
    const document = JSON.stringify({ read: ['**'], write: ['**'], quotas })
    return opened.database.query
      .insertInto('projects')
      .values({ name, document, created_at: 1, updated_at: 1 })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ document }))
      .execute()
  }
  const as = (
    token: string,
    method: 'GET' | 'POST' | 'PUT',
    url: string,
    body?: object,
    headers: Record<string, string> = {},
  ) => api.request(method, url, body, { authorization: `Bearer ${token}`, ...headers })
  const conversion = (target = `r.test/a:t${count++}`) => ({ source: 'r.test/a:1', target })
  const create = async (token: string, body: object = conversion()): Promise<string> => {
    const { status, json } = await as(token, 'POST', PATH, body)
    expect([status, json.project]).toEqual([202, token === 'admin' ? 'default' : token])
    return json.id
  }
  const idsOf = async (token: string, query = '') =>
    (await as(token, 'GET', `${PATH}${query}`)).json.items.map(({ id }: { id: string }) => id)

  it('are listed and counted for their own project; an administrator sees all, or one', async () => {
    const [own, other] = [await create('team-a'), await create('team-b')]
    expect(await idsOf('team-a')).toEqual([own])
    expect(await idsOf('team-a', '?source=r.test/a:1&state=queued')).toEqual([own])
    expect(await idsOf('team-a', '?repository=r.test/a')).toEqual([own])
    expect(await idsOf('team-a', '?project=team-b')).toEqual([])
    expect(await idsOf('team-a', '?project=team-a')).toEqual([own])
    // A cursor may name any job.
    expect(await idsOf('team-a', `?cursor=${other}`)).toEqual([own])
    expect(await idsOf('team-b', `?cursor=${own}`)).toEqual([])
    expect(await idsOf('admin')).toEqual([other, own])
    expect(await idsOf('admin', '?project=team-b')).toEqual([other])
    await api.finishNextJob()
    const counts = async (token: string, query = '') => {
      const { json } = await as(token, 'GET', `${PATH}/counts${query}`)
      return [json.queued, json.succeeded]
    }
    const sum = async (...tokens: string[]) => {
      const all = await Promise.all(tokens.map((token) => counts(token)))
      return [0, 1].map((i) => all.reduce((total, one) => total + one[i], 0))
    }
    expect(await sum('team-a', 'team-b')).toEqual([1, 1])
    expect(await counts('admin')).toEqual([1, 1])
    expect(await counts('admin', '?project=default')).toEqual([0, 0])
    expect(await counts('team-a', '?project=team-b')).toEqual([0, 0])
  })

  it('exist for their own project only: the answers for those of others are those for unknown ones', async () => {
    const foreign = await create('team-b')
    const { json: batch } = await as('team-b', 'POST', '/v1/conversion-batches', {
      conversions: [conversion()],
    })
    const requests: ['GET' | 'POST', string][] = [
      ['GET', `${PATH}/ID`],
      ['POST', `${PATH}/ID/cancel`],
      ['POST', `${PATH}/ID/retry`],
      ['GET', `${PATH}/ID/events`],
      ['GET', `${PATH}/ID/callbacks`],
      ['GET', '/v1/conversion-batches/ID'],
      ['GET', '/v1/conversion-batches/ID/conversions'],
      ['POST', '/v1/conversion-batches/ID/cancel'],
    ]
    for (const [method, url] of requests) {
      const id = url.includes('batches') ? batch.id : foreign
      const answer = async (one: string) => {
        const { status, json } = await as('team-a', method, url.replace('ID', one))
        const { requestId: _, ...problem } = json
        return { status, text: JSON.stringify(problem).replaceAll(one, 'ID') }
      }
      const expected = await answer(UNKNOWN_ID)
      expect(expected.status).toBe(404)
      expect([url, await answer(id)]).toEqual([url, expected])
    }
    expect((await as('team-a', 'GET', `${PATH}?batch=${batch.id}`)).json.items).toEqual([])
    expect((await as('team-a', 'GET', '/v1/conversion-batches')).json.items).toEqual([])
    expect((await as('team-b', 'GET', '/v1/conversion-batches')).json.items).toMatchObject([
      { id: batch.id, project: 'team-b' },
    ])
    expect((await as('team-b', 'GET', `${PATH}/${foreign}`)).json.state).toBe('queued')
  })

  it('are cancelled and retried together in their own project only', async () => {
    const [own, other] = [await create('team-a'), await create('team-b')]
    const act = async (token: string, verb: string, body: object) =>
      (await as(token, 'POST', `${PATH}/${verb}`, body)).json.ids
    expect(await act('team-a', 'cancel', { state: ['queued'], project: 'team-b' })).toEqual([])
    expect(await act('team-a', 'cancel', { state: ['queued'] })).toEqual([own])
    expect(await act('team-b', 'retry', { state: ['cancelled'] })).toEqual([])
    expect(await act('admin', 'cancel', { project: 'team-b' })).toEqual([other])
    expect(await act('admin', 'retry', { state: ['cancelled'] })).toEqual([other, own])
  })

  it('never join each other, and their idempotency keys are their own', async () => {
    const body = conversion('r.test/a:same')
    const headers = { 'idempotency-key': 'k' }
    const first = await as('team-a', 'POST', PATH, body, headers)
    const second = await as('team-b', 'POST', PATH, body, headers)
    expect([first.status, second.status]).toEqual([202, 202])
    expect(second.headers['idempotency-replayed']).toBeUndefined()
    expect(second.json.id).not.toBe(first.json.id)
    const repeated = await as('team-a', 'POST', PATH, body, headers)
    expect(repeated.headers['idempotency-replayed']).toBe('true')
    expect(repeated.json.id).toBe(first.json.id)
    expect((await as('team-a', 'POST', PATH, body)).json.id).toBe(first.json.id)
    const batch = { conversions: [body] }
    const path = '/v1/conversion-batches'
    const one = await as('team-a', 'POST', path, batch, { 'idempotency-key': 'b' })
    const two = await as('team-b', 'POST', path, batch, { 'idempotency-key': 'b' })
    expect(two.json.id).not.toBe(one.json.id)
    // As if the stored responses had been lost: the batch is found by the key of its request.
    await opened.database.query.deleteFrom('request_keys').execute()
    const again = await as('team-b', 'POST', path, batch, { 'idempotency-key': 'b' })
    expect(again.json.id).toBe(two.json.id)
  })

  it('wait for each other without naming each other', async () => {
    const target = 'r.test/a:shared'
    const [own, other] = [
      await create('team-a', conversion(target)),
      await create('team-b', conversion(target)),
    ]
    const claimed = await api.leases.claim('w')
    const [waiting, id] = claimed?.job.id === own ? ['team-b', other] : ['team-a', own]
    expect((await as(waiting, 'GET', `${PATH}/${id}`)).json.waiting).toEqual({
      position: 1,
      reason: 'same-target',
    })
    if (claimed) await api.leases.succeed(claimed.lease, {})
  })

  it('have event streams that neither show nor name the jobs of others', async () => {
    const feed = (project: string) => events.in(ProjectScope.of(project))
    const own = feed('team-a')
    using _place = await own.open()
    await create('team-b')
    const cursor = await own.latestCursor()
    const start = { cursor, progressVersion: 0 }
    const [foreign, id] = [await create('team-b'), await create('team-a')]
    const read = []
    let position = start
    let place = cursor
    while (read.length === 0) {
      const items = await own.read(position, AbortSignal.timeout(20_000))
      read.push(...items.events)
      ;({ position, place } = items)
    }
    expect(read).toMatchObject([{ jobId: id, project: 'team-a', type: 'queued' }])
    expect(cursor).toMatch(/^\d+\.0\.$/)
    await create('team-b')
    const after = await own.read(position, AbortSignal.timeout(20_000))
    expect(after.events).toEqual([])
    for (const one of [place, after.place]) expect(one).toMatch(new RegExp(`^\\d+\\.\\d+\\.(${id})?$`))
    // A client that resumes gets nothing twice and misses nothing.
    const next = await create('team-a')
    const resumed = []
    position = { cursor: after.place, progressVersion: 0 }
    while (resumed.length === 0) {
      const items = await own.read(position, AbortSignal.timeout(20_000))
      resumed.push(...items.events)
      position = items.position
    }
    expect(resumed.map(({ jobId }) => jobId)).toEqual([next])
    // The position may be that of any job.
    const others = await feed('team-b').read(
      { ...start, cursor: `0.1.${foreign}` },
      AbortSignal.timeout(20_000),
    )
    expect(others.events.every(({ project }) => project === 'team-b')).toBe(true)
  })

  it('have series of their own, which add up to those of an administrator', async () => {
    for (const token of ['team-a', 'team-b', 'team-b', 'admin']) await create(token)
    for (let n = 0; n < 4; n++) await api.finishNextJob()
    const sum = async (token: string, query = '') => {
      const { json } = await as(token, 'GET', `${PATH}/series${query}`)
      return json.items.reduce((total: number, { succeeded }: { succeeded: number }) => total + succeeded, 0)
    }
    const before = await sum('admin', '?project=default')
    expect([await sum('team-a'), await sum('team-b')]).toEqual([1, 2])
    expect(await sum('team-a', '?project=team-b')).toBe(0)
    expect(await sum('admin')).toBe(3 + before)
    expect(before).toBeGreaterThan(0)
  })

  it('have a quota of queued jobs, for batches as a whole, which names use and limit', async () => {
    // A project whose quota no process has cached.
    await setQuotas('team-q', { queuedJobs: 2 })
    await create('team-q', conversion('r.test/a:first'))
    const batch = { conversions: [conversion(), conversion()] }
    const refused = await as('team-q', 'POST', '/v1/conversion-batches', batch)
    expect(refused).toMatchObject({ status: 429, json: { code: 'JOB_QUOTA_EXCEEDED' } })
    expect(refused.json.detail).toMatch(/team-q has 1 queued jobs, and its quota queuedJobs is 2/)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    const racing = await Promise.all(
      Array.from({ length: 8 }, () => as('team-q', 'POST', PATH, conversion())),
    )
    expect(racing.map(({ status }) => status).toSorted()).toEqual([202, ...Array(7).fill(429)])
    // A job that joins another one takes no place.
    expect((await as('team-q', 'POST', PATH, conversion('r.test/a:first'))).status).toBe(200)
    await create('team-b')
    // The request was not processed, so its key can be used again.
    const headers = { 'idempotency-key': 'later' }
    const later = conversion()
    expect((await as('team-q', 'POST', PATH, later, headers)).status).toBe(429)
    await as('team-q', 'POST', `${PATH}/cancel`, { state: ['queued'] })
    await setQuotas('team-q', { queuedJobs: 3 })
    await expect
      .poll(async () => (await as('team-q', 'POST', PATH, later, headers)).status, { timeout: 5_000 })
      .toBe(202)
  })

  it('are started again by credentials that may use their images', async () => {
    const [own, other] = [await create('team-a', conversion('r.test/part/a:1')), await create('team-a')]
    for (const id of [own, other]) await as('team-a', 'POST', `${PATH}/${id}/cancel`)
    const retry = (token: string, id: string) => as(token, 'POST', `${PATH}/${id}/retry`)
    const refused = await retry(NARROW, other)
    expect([refused.status, refused.json.code]).toEqual([403, 'REPOSITORY_NOT_ALLOWED'])
    expect((await as('team-a', 'GET', `${PATH}/${other}`)).json.state).toBe('cancelled')
    expect([(await retry(NARROW, own)).status, (await retry('team-a', other)).status]).toEqual([202, 202])
  })

  it('are started again by a filter without those whose images the credential may not use', async () => {
    const [own, other] = [await create('team-a', conversion('r.test/part/a:1')), await create('team-a')]
    await as('team-a', 'POST', `${PATH}/cancel`, { state: ['queued'] })
    const retried = await as(NARROW, 'POST', `${PATH}/retry`, { state: ['cancelled'] })
    expect(retried).toMatchObject({
      status: 200,
      json: { jobCount: 1, ids: [own], refused: [{ id: other, code: 'REPOSITORY_NOT_ALLOWED' }] },
    })
    expect((await as('team-a', 'GET', `${PATH}/${other}`)).json.state).toBe('cancelled')
    const all = await as('team-a', 'POST', `${PATH}/retry`, { state: ['cancelled'] })
    expect(all.json).toEqual({ jobCount: 1, ids: [other] })
    const verified = await as('team-a', 'POST', '/v1/verifications', { reference: 'r.test/a:1' })
    await as('team-a', 'POST', '/v1/verifications/cancel', { state: ['queued'] })
    narrowReads = new RepositoryPatterns(['r.test/part/**'])
    const refused = await as(NARROW, 'POST', '/v1/verifications/retry', { state: ['cancelled'] })
    narrowReads = RepositoryPatterns.EVERYTHING
    expect(refused.json).toMatchObject({ jobCount: 0, refused: [{ id: verified.json.id }] })
  })

  it('of one project without a quota take at most half of the queue', async () => {
    await using small = await JobApi.open(
      opened,
      { maxQueued: 4 },
      { callerSources: [source], demandsCredential: true },
    )
    const post = (token: string) =>
      small.request('POST', PATH, conversion(), { authorization: `Bearer ${token}` })
    const first = [await post('team-a'), await post('team-a'), await post('team-a')]
    expect(first.map(({ status }) => status)).toEqual([202, 202, 429])
    expect(first[2]?.json).toMatchObject({
      code: 'JOB_QUOTA_EXCEEDED',
      detail: expect.stringContaining('its share of the queue is 2'),
    })
    const others = [await post('team-b'), await post('team-b'), await post('admin')]
    expect(others.map(({ status, json }) => [status, json.code])).toEqual([
      [202, undefined],
      [202, undefined],
      [503, 'QUEUE_FULL'],
    ])
  })

  it('of one project without others take the whole queue, and those with a quota as much as it says', async () => {
    await opened.database.query.deleteFrom('projects').execute()
    const open = (maxQueued: number) =>
      JobApi.open(opened, { maxQueued }, { callerSources: [source], demandsCredential: true })
    const post = (api: JobApi, token: string) =>
      api.request('POST', PATH, conversion(), { authorization: `Bearer ${token}` })
    await using alone = await open(3)
    for (let n = 0; n < 3; n++) expect((await post(alone, 'admin')).status).toBe(202)
    expect(await post(alone, 'admin')).toMatchObject({ status: 503, json: { code: 'QUEUE_FULL' } })
    await setQuotas('team-a', { queuedJobs: 5 })
    await using shared = await open(9)
    for (let n = 0; n < 5; n++) expect((await post(shared, 'team-a')).status).toBe(202)
    expect((await post(shared, 'team-a')).json.detail).toContain('its quota queuedJobs is 5')
  })

  it('of an administrator are refused at once if the patterns of their project do not allow them', async () => {
    const setDefault = (rules: object) => as('admin', 'PUT', '/v1/projects/default', rules)
    const failed = await create('admin', conversion('r.test/out/a:1'))
    await as('admin', 'POST', `${PATH}/${failed}/cancel`)
    await setDefault({ read: ['r.test/a'], write: ['r.test/a'] })
    const outside = conversion('r.test/out/a:1')
    for (const [url, body] of [
      [PATH, outside],
      ['/v1/conversion-batches', { conversions: [conversion(), outside] }],
      ['/v1/verifications', { reference: 'r.test/out/a:1' }],
    ] as const) {
      const { status, json } = await as('admin', 'POST', url, body)
      expect([url, status, json.code]).toEqual([url, 403, 'REPOSITORY_NOT_ALLOWED'])
      expect(json.detail).toMatch(
        /the job would belong to the project default, whose .*r\.test\/out\/a; name/,
      )
    }
    const retried = await as('admin', 'POST', `${PATH}/${failed}/retry`)
    expect([retried.status, retried.json.code]).toEqual([403, 'REPOSITORY_NOT_ALLOWED'])
    expect((await as('admin', 'POST', PATH, conversion())).status).toBe(202)
    const inTeam = { 'record-broker-project': 'team-a' }
    expect((await as('admin', 'POST', PATH, outside, inTeam)).json).toMatchObject({ project: 'team-a' })
    await setDefault({ read: ['**'], write: ['**'] })
  })
})
