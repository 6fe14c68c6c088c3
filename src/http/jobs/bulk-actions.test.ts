import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'

const PATH = '/v1/conversions'
const ERROR = { code: 'NOT_FOUND', message: 'gone' }
let count = 0
const conversion = (more: object = {}) => ({ source: 'r.test/a:1', target: `r.test/a:t${count++}`, ...more })

describeDatabases('many jobs at once', (open) => {
  let opened: TestDatabase
  let api: JobApi
  /** A replica with a short queue. */
  let small: JobApi
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(opened)
    small = await JobApi.open(opened, { maxQueued: 10 })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await small[Symbol.asyncDispose]()
    await opened.close()
  })
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  const create = async (more: object = {}): Promise<string> =>
    (await api.request('POST', PATH, conversion(more))).json.id
  const failNext = async () => {
    const claimed = await api.leases.claim('w')
    if (!claimed) throw new Error('no job was claimed')
    await api.leases.fail(claimed.lease, ERROR)
    return claimed.job.id
  }
  const stateOf = async (id: string) => (await api.request('GET', `${PATH}/${id}`)).json.state
  const act = async (verb: string, body: object) => {
    const { status, json } = await api.request('POST', `${PATH}/${verb}`, body)
    expect([status, json.code]).toEqual([200, undefined])
    return json
  }

  it('are cancelled by a filter, queued ones at once and running ones soon', async () => {
    const running = await create({ labels: { team: 'x' } })
    const claimed = await api.leases.claim('w')
    const queued = [await create({ labels: { team: 'x' } }), await create({ labels: { team: 'x' } })]
    const other = await create({ labels: { team: 'y' } })
    const body = { labels: { team: 'x' } }
    const dry = await act('cancel', { ...body, dryRun: true })
    expect(dry).toEqual({ jobCount: 3, ids: [queued[1], queued[0], running] })
    expect(await stateOf(queued[0] ?? '')).toBe('queued')
    const first = await act('cancel', { ...body, limit: 2 })
    expect(first).toMatchObject({ jobCount: 2, ids: [queued[1], queued[0]], next: expect.any(String) })
    expect(await act('cancel', { ...body, cursor: first.next })).toEqual({ jobCount: 1, ids: [running] })
    expect(await act('cancel', body)).toEqual({ jobCount: 0, ids: [] })
    expect(await stateOf(queued[0] ?? '')).toBe('cancelled')
    const view = (await api.request('GET', `${PATH}/${running}`)).json
    expect(view).toMatchObject({ state: 'running', cancelRequested: true })
    expect(claimed && (await api.leases.isHeld(claimed.lease))).toBe(false)
    expect(await stateOf(other)).toBe('queued')
    expect((await api.request('GET', `${PATH}/counts`)).json.cancelled).toBe(2)
  })

  it('are retried by a filter, as far as the queue has places, without equivalents in progress', async () => {
    const twice = conversion()
    const { id: equivalent } = (await api.request('POST', PATH, twice)).json
    await failNext()
    const ids = []
    for (let n = 0; n < 9; n++) {
      ids.push(await create())
      await failNext()
    }
    const { id: other } = (await api.request('POST', PATH, twice)).json
    await create()
    const retry = (body: object) => small.request('POST', `${PATH}/retry`, { state: ['failed'], ...body })
    // Eight places are left, and the newest jobs come first.
    const first = (await retry({})).json
    expect(first).toMatchObject({ jobCount: 8, ids: ids.slice(1).toReversed(), next: expect.any(String) })
    const full = { status: 503, json: { code: 'QUEUE_FULL' } }
    expect(await retry({ cursor: first.next })).toMatchObject(full)
    expect(await small.request('POST', `${PATH}/${ids[0]}/retry`)).toMatchObject(full)
    expect((await api.request('GET', `${PATH}/${ids[0]}`)).json.state).toBe('failed')
    const rest = await act('retry', { state: ['failed'], cursor: first.next })
    expect(rest).toEqual({ jobCount: 1, ids: [ids[0]], conflicts: [{ id: equivalent, equivalentId: other }] })
    // The oldest of the retried jobs is the first in the queue.
    const claimed = []
    for (let next = await api.leases.claim('w'); next; next = await api.leases.claim('w')) {
      claimed.push(next.job.id)
    }
    expect(claimed.slice(-9)).toEqual([...ids.slice(1), ids[0]])
  })

  it('are selected by at least one filter that exists', async () => {
    const post = (body: object) => api.request('POST', `${PATH}/cancel`, body)
    expect(await post({})).toMatchObject({ status: 400, json: { errors: [{ path: 'body' }] } })
    expect(await post({ labels: {} })).toMatchObject({ status: 400 })
    expect(await post({ dryRun: true, limit: 3 })).toMatchObject({ status: 400 })
    expect(await post({ lables: { a: 'b' } })).toMatchObject({ status: 400 })
    expect(await post({ state: ['failed'] })).toMatchObject({ status: 400 })
    expect(await post({ state: ['queued'], limit: 1001 })).toMatchObject({ status: 400 })
    const cursor = '1.019ab000-0000-7000-8000-000000000000'
    expect(await post({ state: ['queued'], cursor })).toMatchObject({
      status: 400,
      json: { code: 'INVALID_CURSOR', errors: [{ path: 'body.cursor' }] },
    })
  })

  it('of a batch are cancelled and retried together, and verifications as well', async () => {
    const batch = await api.request('POST', '/v1/conversion-batches', {
      conversions: [conversion(), conversion()],
    })
    expect((await act('cancel', { batch: batch.json.id })).jobCount).toBe(2)
    expect((await act('retry', { batch: batch.json.id })).jobCount).toBe(2)
    expect((await api.request('GET', String(batch.headers.location))).json).toMatchObject({
      state: 'running',
      counts: { queued: 2, cancelled: 0 },
    })
    const { json } = await api.request('POST', '/v1/verifications', { reference: 'r.test/a:1' })
    const cancelled = await api.request('POST', '/v1/verifications/cancel', { reference: 'r.test/a:1' })
    expect(cancelled.json).toEqual({ jobCount: 1, ids: [json.id] })
  })
})
