import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'

const PATH = '/v1/conversions'
let count = 0
const conversion = (more: object = {}) => ({ source: 'r.test/a:1', target: `r.test/a:t${count++}`, ...more })

describeDatabases('conversions over HTTP', (open) => {
  let opened: TestDatabase
  let api: JobApi
  let other: JobApi
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(opened)
    other = await JobApi.open(opened)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
    await opened.close()
  })
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  describe('with an Idempotency-Key', () => {
    const key = (name: string) => ({ 'idempotency-key': name })

    it('get the same response from every replica, and create one job', async () => {
      const body = conversion()
      const first = await api.request('POST', PATH, body, key('k1'))
      expect(first.status).toBe(202)
      await api.finishNextJob()
      const again = await other.request('POST', PATH, body, key('k1'))
      expect(again).toMatchObject({ status: 202, text: first.text })
      expect(again.headers).toMatchObject({
        location: first.headers.location,
        'idempotency-replayed': 'true',
      })
      expect((await api.request('GET', PATH)).json.items).toHaveLength(1)
    })

    it('are rejected if the key was used with a different request', async () => {
      await api.request('POST', PATH, conversion(), key('k2'))
      const wrong = await api.request('POST', PATH, conversion(), key('k2'))
      expect(wrong).toMatchObject({ status: 422, json: { code: 'IDEMPOTENCY_KEY_REUSED' } })
      const malformed = await api.request('POST', PATH, conversion(), key('with blanks in it'))
      expect(malformed).toMatchObject({ status: 400, json: { code: 'INVALID_IDEMPOTENCY_KEY' } })
    })

    it('create one job for concurrent requests', async () => {
      const body = conversion()
      const replicas = [api, other, api, other, api]
      const responses = await Promise.all(
        replicas.map((replica) => replica.request('POST', PATH, body, key('k3'))),
      )
      expect(responses.some(({ status }) => status === 202)).toBe(true)
      for (const { status } of responses) expect([202, 409]).toContain(status)
      expect((await api.request('GET', PATH)).json.items).toHaveLength(1)
    })

    it('release the key if the queue is full, so that the request can be repeated', async () => {
      await using full = await JobApi.open(opened, { maxQueued: 1 })
      await full.request('POST', PATH, conversion())
      const body = conversion()
      const rejected = await full.request('POST', PATH, body, key('k4'))
      expect(rejected).toMatchObject({ status: 503, json: { code: 'QUEUE_FULL' } })
      expect(Number(rejected.headers['retry-after'])).toBeGreaterThan(0)
      await api.finishNextJob()
      expect((await api.request('POST', PATH, body, key('k4'))).status).toBe(202)
    })
  })

  it('join an equivalent unfinished conversion', async () => {
    const body = conversion()
    const first = await api.request('POST', PATH, { ...body, labels: { build: '1' } })
    const second = await other.request('POST', PATH, { ...body, labels: { build: '2' }, priority: 7 })
    expect(second).toMatchObject({ status: 200, json: { id: first.json.id, priority: 7 } })
    expect(second.headers.location).toBe(first.headers.location)
  })

  it('are waited for as long as Prefer requests', async () => {
    const waiting = api.request('POST', PATH, conversion(), { prefer: 'respond-async, wait=20' })
    await expect
      .poll(async () => (await other.jobs.countByState('conversion')).queued, { interval: 5 })
      .toBe(1)
    const claimed = await other.leases.claim('w')
    if (claimed) await other.leases.fail(claimed.lease, { code: 'NOT_FOUND', message: 'no such image' })
    const response = await waiting
    expect(response).toMatchObject({ status: 200, json: { state: 'failed', error: { code: 'NOT_FOUND' } } })
    expect(response.headers['preference-applied']).toBe('wait=20')
    const short = await api.request('POST', PATH, conversion(), { prefer: 'wait=0' })
    expect(short).toMatchObject({ status: 202, json: { state: 'queued' } })
  })

  it('are cancelled and retried', async () => {
    const { json } = await api.request('POST', PATH, conversion())
    const at = `${PATH}/${json.id}`
    expect((await api.request('POST', `${at}/retry`)).json.code).toBe('NOT_RETRYABLE')
    expect(await api.request('POST', `${at}/cancel`)).toMatchObject({
      status: 200,
      json: { state: 'cancelled' },
    })
    expect((await api.request('POST', `${at}/cancel`)).status).toBe(200)
    expect(await api.request('POST', `${at}/retry`)).toMatchObject({ status: 202, json: { state: 'queued' } })
    const claimed = await api.leases.claim('worker-1')
    expect(await api.request('POST', `${at}/cancel`)).toMatchObject({
      status: 202,
      json: { state: 'running', cancelRequested: true },
    })
    if (claimed) await api.leases.endCancelled(claimed.lease)
    const { json: view } = await api.request('GET', at)
    expect(view).toMatchObject({
      state: 'cancelled',
      attempts: [{ attempt: 1, worker: 'worker-1', outcome: 'cancelled' }],
    })
    await api.request('POST', PATH, conversion())
    await api.finishNextJob()
    const [done] = (await api.request('GET', `${PATH}?state=succeeded`)).json.items
    expect(await api.request('POST', `${PATH}/${done.id}/cancel`)).toMatchObject({
      status: 409,
      json: { code: 'ALREADY_FINISHED' },
    })
    expect((await api.request('POST', `${PATH}/019ab000-0000-7000-8000-000000000000/cancel`)).status).toBe(
      404,
    )
  })

  it('call back, if the origin is allowed', async () => {
    const rejected = await api.request('POST', PATH, conversion({ callbackUrl: 'https://evil.test/x' }))
    expect(rejected).toMatchObject({
      status: 403,
      json: { code: 'CALLBACK_NOT_ALLOWED', errors: [{ path: 'body.callbackUrl' }] },
    })
    expect((await api.request('POST', PATH, conversion({ callbackUrl: 'file:///etc/passwd' }))).status).toBe(
      400,
    )
    const callbackUrl = 'http://127.0.0.1:1/hook'
    const { json } = await api.request('POST', PATH, conversion({ callbackUrl }))
    const log = await api.request('GET', `${PATH}/${json.id}/callbacks`)
    expect(log.json.items).toMatchObject([{ url: callbackUrl, state: 'waiting', deliveries: [] }])
  })

  it('are filtered and counted', async () => {
    const first = await api.request('POST', PATH, conversion({ labels: { team: 'x' } }))
    await api.request('POST', PATH, conversion({ labels: { team: 'y' }, priority: 3 }))
    await api.finishNextJob()
    const ids = async (query: string) =>
      (await api.request('GET', `${PATH}?${query}`)).json.items.map(({ id }: { id: string }) => id)
    expect(await ids('label=team=x')).toEqual([first.json.id])
    expect(await ids('state=queued&state=running')).toEqual([first.json.id])
    expect(await ids(`createdBefore=${first.json.createdAt}`)).toEqual([])
    expect(await ids(`createdFrom=${first.json.createdAt}`)).toHaveLength(2)
    expect((await api.request('GET', `${PATH}/counts`)).json).toMatchObject({
      queued: 1,
      succeeded: 1,
      failed: 0,
    })
    expect((await api.request('GET', `${PATH}?label=team`)).status).toBe(400)
    expect(await ids('repository=r.test/a')).toHaveLength(2)
    expect(await ids('repository=r.test/other')).toEqual([])
    expect((await api.request('GET', `${PATH}?repository=r.test/a:1`)).status).toBe(400)
    const [ended] = (await api.request('GET', `${PATH}?state=succeeded`)).json.items
    const byEnd = `finishedFrom=${ended.finishedAt}`
    expect(await ids(byEnd)).toEqual([ended.id])
    expect(await ids(`finishedBefore=${ended.finishedAt}`)).toEqual([])
    await api.finishNextJob()
    const page = (await api.request('GET', `${PATH}?${byEnd}&limit=1`)).json
    expect(await ids(`${byEnd}&limit=1&cursor=${page.next}`)).toEqual([ended.id])
    const wrong = await api.request('GET', `${PATH}?cursor=${page.next}`)
    expect(wrong).toMatchObject({
      status: 400,
      json: { code: 'INVALID_CURSOR', errors: [{ path: 'querystring.cursor' }] },
    })
  })

  it('show their progress in lists while they run, and what they wait for before that', async () => {
    const { json } = await api.request('POST', PATH, conversion())
    expect(json.waiting).toBeUndefined()
    const at = `${PATH}/${json.id}`
    expect((await api.request('GET', at)).json.waiting).toEqual({ position: 1, reason: 'no-worker' })
    const claimed = await api.leases.claim('w')
    if (!claimed) throw new Error('no job was claimed')
    const later = await api.request('POST', PATH, { ...conversion(), target: json.target, overwrite: true })
    const { waiting } = (await api.request('GET', `${PATH}/${later.json.id}`)).json
    expect(waiting).toEqual({ position: 1, reason: 'same-target', jobId: json.id })
    const summary = { phase: 'converting', layerCount: 3, doneLayerCount: 1, totalBytes: 9, readBytes: 4 }
    await api.leases.saveProgress(claimed.lease, { phase: 'converting', layers: [] }, summary)
    const running = async () => (await api.request('GET', `${PATH}?state=running`)).json.items[0]
    expect(await running()).toMatchObject({ id: json.id, progress: summary })
    expect((await api.request('GET', at)).json.progress).toEqual({ phase: 'converting', layers: [] })
    await api.leases.release(claimed.lease)
    expect((await api.leases.claim('w'))?.job.id).toBe(json.id)
    expect((await running()).progress).toBeUndefined()
  })
})
