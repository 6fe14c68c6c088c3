import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'

const PATH = '/v1/verifications'
let count = 0
const verification = (more: object = {}) => ({ reference: `r.test/a:t${count++}`, ...more })

describeDatabases('verifications over HTTP', (open) => {
  let opened: TestDatabase
  let api: JobApi
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(opened)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  it('are cancelled and retried, and their attempts remain visible', async () => {
    const body = verification()
    const { json } = await api.request('POST', PATH, body)
    const at = `${PATH}/${json.id}`
    expect((await api.request('POST', `${at}/retry`)).json.code).toBe('NOT_RETRYABLE')
    expect(await api.request('POST', `${at}/cancel`)).toMatchObject({
      status: 200,
      json: { state: 'cancelled' },
    })
    const same = await api.request('POST', PATH, body)
    expect(await api.request('POST', `${at}/retry`)).toMatchObject({
      status: 409,
      json: {
        code: 'EQUIVALENT_IN_PROGRESS',
        detail: `verification ${same.json.id} is equivalent and is queued`,
      },
    })
    await api.finishNextJob()
    expect((await api.request('POST', `${PATH}/${same.json.id}/cancel`)).json.code).toBe('ALREADY_FINISHED')
    const again = await api.request('POST', `${at}/retry`)
    expect(again).toMatchObject({ status: 202, json: { state: 'queued' }, headers: { location: at } })
    const claimed = await api.leases.claim('worker-1')
    if (!claimed) throw new Error('there was no job')
    expect(await api.request('POST', `${at}/cancel`)).toMatchObject({
      status: 202,
      json: { state: 'running', cancelRequested: true },
    })
    await api.leases.endCancelled(claimed.lease)
    expect((await api.request('GET', at)).json).toMatchObject({
      state: 'cancelled',
      attempts: [{ attempt: 1, worker: 'worker-1', outcome: 'cancelled' }],
    })
  })

  it('are not conversions, and vice versa', async () => {
    const { json } = await api.request('POST', PATH, verification())
    for (const action of ['cancel', 'retry']) {
      expect((await api.request('POST', `/v1/conversions/${json.id}/${action}`)).status).toBe(404)
    }
    const conversion = await api.request('POST', '/v1/conversions', {
      source: 'r.test/a:1',
      target: 'r.test/a:2',
    })
    const rejected = await api.request('POST', `${PATH}/${conversion.json.id}/cancel`)
    expect(rejected).toMatchObject({
      status: 404,
      json: { detail: `verification ${conversion.json.id} does not exist` },
    })
  })

  it('are filtered by state, images, labels and time, and counted', async () => {
    const first = await api.request(
      'POST',
      PATH,
      verification({ source: 'r.test/a:1', labels: { team: 'x' } }),
    )
    const second = await api.request('POST', PATH, verification({ labels: { team: 'y' }, priority: 3 }))
    expect(second.json).toMatchObject({ labels: { team: 'y' }, priority: 3 })
    expect(second.json.source).toBeUndefined()
    await api.finishNextJob()
    const ids = async (query: string) =>
      (await api.request('GET', `${PATH}?${query}`)).json.items.map(({ id }: { id: string }) => id)
    expect(await ids('')).toEqual([second.json.id, first.json.id])
    expect(await ids('state=queued&state=running')).toEqual([first.json.id])
    expect(await ids(`reference=${second.json.reference}`)).toEqual([second.json.id])
    expect(await ids('source=r.test/a:1')).toEqual([first.json.id])
    expect(await ids('label=team=x')).toEqual([first.json.id])
    expect(await ids(`createdBefore=${first.json.createdAt}`)).toEqual([])
    expect(await ids(`createdFrom=${first.json.createdAt}`)).toHaveLength(2)
    expect((await api.request('GET', `${PATH}?label=team`)).status).toBe(400)
    expect((await api.request('GET', `${PATH}/counts`)).json).toEqual({
      queued: 1,
      running: 0,
      succeeded: 1,
      failed: 0,
      cancelled: 0,
    })
    expect((await api.request('GET', '/v1/conversions/counts')).json).toMatchObject({
      queued: 0,
      succeeded: 0,
    })
  })

  it('stream events and call back', async () => {
    const rejected = await api.request('POST', PATH, verification({ callbackUrl: 'https://evil.test/x' }))
    expect(rejected).toMatchObject({ status: 403, json: { code: 'CALLBACK_NOT_ALLOWED' } })
    const callbackUrl = 'http://127.0.0.1:1/hook'
    const { json } = await api.request('POST', PATH, verification({ callbackUrl }))
    await api.finishNextJob()
    const { items } = (await api.request('GET', `${PATH}/${json.id}/callbacks`)).json
    expect(items).toMatchObject([{ url: callbackUrl, state: 'due' }])
    const events = await api.app.inject(`${PATH}/${json.id}/events`)
    expect([...events.body.matchAll(/^event: (.*)$/gm)].map(([, type]) => type)).toEqual([
      'queued',
      'started',
      'succeeded',
    ])
  })

  it('are listed with their results, and filtered by them', async () => {
    for (const verified of [true, false]) {
      await api.request('POST', PATH, verification())
      await api.finishNextJob({ verified })
    }
    await api.request('POST', PATH, verification())
    const { items } = (await api.request('GET', PATH)).json
    const results = items.slice(0, 3).map(({ verified }: { verified?: boolean }) => verified)
    expect(results).toEqual([undefined, false, true])
    const different = (await api.request('GET', `${PATH}?verified=false`)).json.items
    expect(different.map(({ id }: { id: string }) => id)).toEqual([items[1].id])
    expect((await api.request('GET', `${PATH}?verified=maybe`)).status).toBe(400)
  })
})
