import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import { JobApi } from '../../test/support/job-api.ts'

const PATH = '/v1/conversions'
let made = 0
const conversion = (more: object = {}) => ({ source: 'r.test/a:1', target: `r.test/a:t${made++}`, ...more })

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

    it('get the same answer from every replica, and are made once', async () => {
      const body = conversion()
      const first = await api.ask('POST', PATH, body, key('k1'))
      expect(first.status).toBe(202)
      await api.finish()
      const again = await other.ask('POST', PATH, body, key('k1'))
      expect(again).toMatchObject({ status: 202, text: first.text })
      expect(again.headers).toMatchObject({
        location: first.headers.location,
        'idempotency-replayed': 'true',
      })
      expect((await api.ask('GET', PATH)).json.items).toHaveLength(1)
    })

    it('are refused when the key came with something else', async () => {
      await api.ask('POST', PATH, conversion(), key('k2'))
      const wrong = await api.ask('POST', PATH, conversion(), key('k2'))
      expect(wrong).toMatchObject({ status: 422, json: { code: 'IDEMPOTENCY_KEY_REUSED' } })
      const odd = await api.ask('POST', PATH, conversion(), key('with blanks in it'))
      expect(odd).toMatchObject({ status: 400, json: { code: 'INVALID_IDEMPOTENCY_KEY' } })
    })

    it('are made once although many ask at the same time', async () => {
      const body = conversion()
      const asked = [api, other, api, other, api]
      const answers = await Promise.all(asked.map((one) => one.ask('POST', PATH, body, key('k3'))))
      expect(answers.some(({ status }) => status === 202)).toBe(true)
      for (const { status } of answers) expect([202, 409]).toContain(status)
      expect((await api.ask('GET', PATH)).json.items).toHaveLength(1)
    })

    it('keep the refusal of a request that can be read, and let go of one that was turned away', async () => {
      await using full = await JobApi.open(opened, { maxQueued: 1 })
      await full.ask('POST', PATH, conversion())
      const body = conversion()
      const refused = await full.ask('POST', PATH, body, key('k4'))
      expect(refused).toMatchObject({ status: 503, json: { code: 'QUEUE_FULL' } })
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
      await api.finish()
      expect((await api.ask('POST', PATH, body, key('k4'))).status).toBe(202)
    })
  })

  it('are joined while the same is under way', async () => {
    const body = conversion()
    const first = await api.ask('POST', PATH, { ...body, labels: { build: '1' } })
    const second = await other.ask('POST', PATH, { ...body, labels: { build: '2' }, priority: 7 })
    expect(second).toMatchObject({ status: 200, json: { id: first.json.id, priority: 7 } })
    expect(second.headers.location).toBe(first.headers.location)
  })

  it('are waited for as long as Prefer says', async () => {
    const waiting = api.ask('POST', PATH, conversion(), { prefer: 'respond-async, wait=20' })
    await expect.poll(async () => (await other.jobs.counts('conversion')).queued, { interval: 5 }).toBe(1)
    const claimed = await other.leases.claim('w')
    if (claimed) await other.leases.fail(claimed.lease, { code: 'NOT_FOUND', message: 'no such image' })
    const answer = await waiting
    expect(answer).toMatchObject({ status: 200, json: { state: 'failed', error: { code: 'NOT_FOUND' } } })
    expect(answer.headers['preference-applied']).toBe('wait=20')
    const short = await api.ask('POST', PATH, conversion(), { prefer: 'wait=0' })
    expect(short).toMatchObject({ status: 202, json: { state: 'queued' } })
  })

  it('are cancelled, and tried again', async () => {
    const { json } = await api.ask('POST', PATH, conversion())
    const at = `${PATH}/${json.id}`
    expect((await api.ask('POST', `${at}/retry`)).json.code).toBe('NOT_FAILED')
    expect(await api.ask('POST', `${at}/cancel`)).toMatchObject({ status: 200, json: { state: 'cancelled' } })
    expect((await api.ask('POST', `${at}/cancel`)).status).toBe(200)
    expect(await api.ask('POST', `${at}/retry`)).toMatchObject({ status: 202, json: { state: 'queued' } })
    const claimed = await api.leases.claim('worker-1')
    expect(await api.ask('POST', `${at}/cancel`)).toMatchObject({
      status: 202,
      json: { state: 'running', cancelRequested: true },
    })
    if (claimed) await api.leases.cancelled(claimed.lease)
    const { json: shown } = await api.ask('GET', at)
    expect(shown).toMatchObject({
      state: 'cancelled',
      attempts: [{ attempt: 1, worker: 'worker-1', outcome: 'cancelled' }],
    })
    await api.ask('POST', PATH, conversion())
    await api.finish()
    const [done] = (await api.ask('GET', `${PATH}?state=succeeded`)).json.items
    expect(await api.ask('POST', `${PATH}/${done.id}/cancel`)).toMatchObject({
      status: 409,
      json: { code: 'OVER' },
    })
    expect((await api.ask('POST', `${PATH}/019ab000-0000-7000-8000-000000000000/cancel`)).status).toBe(404)
  })

  it('tell who asked, where that is allowed', async () => {
    const refused = await api.ask('POST', PATH, conversion({ callbackUrl: 'https://evil.test/x' }))
    expect(refused).toMatchObject({
      status: 403,
      json: { code: 'CALLBACK_NOT_ALLOWED', errors: [{ path: 'body.callbackUrl' }] },
    })
    expect((await api.ask('POST', PATH, conversion({ callbackUrl: 'file:///etc/passwd' }))).status).toBe(400)
    const callbackUrl = 'http://127.0.0.1:1/hook'
    const { json } = await api.ask('POST', PATH, conversion({ callbackUrl }))
    const log = await api.ask('GET', `${PATH}/${json.id}/callbacks`)
    expect(log.json.items).toMatchObject([{ url: callbackUrl, state: 'waiting', deliveries: [] }])
  })

  it('are filtered and counted', async () => {
    const first = await api.ask('POST', PATH, conversion({ labels: { team: 'x' } }))
    await api.ask('POST', PATH, conversion({ labels: { team: 'y' }, priority: 3 }))
    await api.finish()
    const ids = async (query: string) =>
      (await api.ask('GET', `${PATH}?${query}`)).json.items.map(({ id }: { id: string }) => id)
    expect(await ids('label=team=x')).toEqual([first.json.id])
    expect(await ids('state=queued&state=running')).toEqual([first.json.id])
    expect(await ids(`createdBefore=${first.json.createdAt}`)).toEqual([])
    expect(await ids(`createdFrom=${first.json.createdAt}`)).toHaveLength(2)
    expect((await api.ask('GET', `${PATH}/counts`)).json).toMatchObject({
      queued: 1,
      succeeded: 1,
      failed: 0,
    })
    expect((await api.ask('GET', `${PATH}?label=team`)).status).toBe(400)
  })
})
