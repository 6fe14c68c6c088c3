import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'

const PATH = '/v1/conversion-batches'
let count = 0
const conversion = (more: object = {}) => ({ source: 'r.test/a:1', target: `r.test/a:t${count++}`, ...more })

describeDatabases('batches over HTTP', (open) => {
  let opened: TestDatabase
  let api: JobApi
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(opened, { maxQueued: 30 })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  it('are created by one request and have one state', async () => {
    const twice = conversion()
    const conversions = [conversion({ labels: { n: '1' } }), twice, twice, conversion()]
    const batch = await api.request('POST', PATH, { conversions, labels: { release: 'x' } })
    expect(batch).toMatchObject({ status: 202, json: { state: 'running', counts: { queued: 4 } } })
    const url = batch.headers.location as string
    const first = await api.request('GET', `${url}/conversions?limit=3`)
    const second = await api.request('GET', `${url}/conversions?limit=3&cursor=${first.json.next}`)
    const items = [...first.json.items, ...second.json.items]
    expect(items.map(({ target }: { target: string }) => target)).toEqual(
      conversions.map(({ target }) => target),
    )
    expect(items[0].labels).toEqual({ release: 'x', n: '1' })
    expect(items[1].id).toBe(items[2].id)
    expect(second.json.next).toBeUndefined()
    for (let n = 0; n < 3; n++) await api.finishNextJob()
    expect((await api.request('GET', url)).json).toMatchObject({
      state: 'succeeded',
      counts: { succeeded: 4 },
    })
  })

  it('are accepted completely or not at all', async () => {
    const many = Array.from({ length: 31 }, () => conversion())
    expect((await api.request('POST', PATH, { conversions: many })).json.code).toBe('QUEUE_FULL')
    const invalid = [conversion(), conversion({ record: { id: '019ab000-0000-7000-8000-000000000000' } })]
    expect(await api.request('POST', PATH, { conversions: invalid })).toMatchObject({
      status: 422,
      json: { errors: [{ path: 'body.conversions.1.record.id' }] },
    })
    expect((await api.request('GET', '/v1/conversions')).json.items).toEqual([])
  })

  it('are created once per idempotency key, and cancelled together', async () => {
    const body = { conversions: [conversion(), conversion()] }
    const key = { 'idempotency-key': `batch-${count}` }
    const first = await api.request('POST', PATH, body, key)
    expect((await api.request('POST', PATH, body, key)).json).toEqual(first.json)
    expect((await api.request('GET', '/v1/conversions')).json.items).toHaveLength(2)
    const cancelled = await api.request('POST', `${PATH}/${first.json.id}/cancel`)
    expect(cancelled.json).toMatchObject({ state: 'failed', counts: { cancelled: 2 } })
    expect((await api.request('GET', `${PATH}/019ab000-0000-7000-8000-000000000000`)).status).toBe(404)
  })

  it('are listed newest first, by state, labels and time, with their counts', async () => {
    await opened.database.query.deleteFrom('batches').execute()
    const create = async (labels: Record<string, string>, conversions = 2) => {
      const body = { conversions: Array.from({ length: conversions }, () => conversion()), labels }
      return (await api.request('POST', PATH, body)).json
    }
    const first = await create({ team: 'x' })
    await api.finishNextJob()
    await api.finishNextJob()
    const second = await create({ team: 'x', stage: 'prod' })
    await api.finishNextJob()
    const claimed = await api.leases.claim('w')
    if (claimed) await api.leases.fail(claimed.lease, { code: 'X', message: 'x' })
    const third = await create({ team: 'y' }, 3)
    await api.leases.claim('w')
    const list = async (query = '') => (await api.request('GET', `${PATH}${query}`)).json
    const ids = async (query: string) => (await list(query)).items.map(({ id }: { id: string }) => id)
    const all = await list()
    expect(all.next).toBeUndefined()
    expect(all.items).toMatchObject([
      { id: third.id, state: 'running', counts: { queued: 2, running: 1, succeeded: 0 } },
      { id: second.id, state: 'failed', counts: { queued: 0, running: 0, succeeded: 1, failed: 1 } },
      { id: first.id, state: 'succeeded', counts: { queued: 0, succeeded: 2 } },
    ])
    expect(await ids('?state=failed&state=running')).toEqual([third.id, second.id])
    expect(await ids('?state=succeeded')).toEqual([first.id])
    expect(await ids('?label=team%3Dx')).toEqual([second.id, first.id])
    expect(await ids('?label=team%3Dx&label=stage%3Dprod')).toEqual([second.id])
    expect(await ids('?label=team%3Dx&state=succeeded')).toEqual([first.id])
    expect(await ids(`?createdBefore=${second.createdAt}`)).toEqual([first.id])
    expect(await ids(`?createdFrom=${third.createdAt}`)).toEqual([third.id])
    const page = await list('?limit=2')
    expect(await ids(`?limit=2&cursor=${page.next}`)).toEqual([first.id])
    // A retry by request makes the batch unfinished again.
    const [failed] = (await api.request('GET', `/v1/conversions?state=failed&batch=${second.id}`)).json.items
    await api.request('POST', `/v1/conversions/${failed.id}/retry`)
    expect(await ids('?state=running')).toEqual([third.id, second.id])
    expect((await api.request('GET', `${PATH}?state=none`)).status).toBe(400)
    expect((await api.request('GET', `${PATH}?cursor=x`)).status).toBe(400)
  })
})
