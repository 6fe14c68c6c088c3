import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts'
import { JobApi } from '../../test/support/job-api.ts'

const PATH = '/v1/conversion-batches'
let made = 0
const conversion = (more: object = {}) => ({ source: 'r.test/a:1', target: `r.test/a:t${made++}`, ...more })

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

  it('are one request and one status', async () => {
    const twice = conversion()
    const asked = [conversion({ labels: { n: '1' } }), twice, twice, conversion()]
    const batch = await api.ask('POST', PATH, { conversions: asked, labels: { release: 'x' } })
    expect(batch).toMatchObject({ status: 202, json: { state: 'running', counts: { queued: 4 } } })
    const at = batch.headers.location as string
    const first = await api.ask('GET', `${at}/conversions?limit=3`)
    const second = await api.ask('GET', `${at}/conversions?limit=3&cursor=${first.json.next}`)
    const items = [...first.json.items, ...second.json.items]
    expect(items.map(({ target }: { target: string }) => target)).toEqual(asked.map(({ target }) => target))
    expect(items[0].labels).toEqual({ release: 'x', n: '1' })
    expect(items[1].id).toBe(items[2].id)
    expect(second.json.next).toBeUndefined()
    for (let n = 0; n < 3; n++) await api.finish()
    expect((await api.ask('GET', at)).json).toMatchObject({ state: 'succeeded', counts: { succeeded: 4 } })
  })

  it('are accepted as a whole, or not at all', async () => {
    const many = Array.from({ length: 31 }, () => conversion())
    expect((await api.ask('POST', PATH, { conversions: many })).json.code).toBe('QUEUE_FULL')
    const odd = [conversion(), conversion({ record: { id: '019ab000-0000-7000-8000-000000000000' } })]
    expect(await api.ask('POST', PATH, { conversions: odd })).toMatchObject({
      status: 422,
      json: { errors: [{ path: 'body.conversions.1.record.id' }] },
    })
    expect((await api.ask('GET', '/v1/conversions')).json.items).toEqual([])
  })

  it('are made once by one request, and cancelled together', async () => {
    const body = { conversions: [conversion(), conversion()] }
    const key = { 'idempotency-key': `batch-${made}` }
    const first = await api.ask('POST', PATH, body, key)
    expect((await api.ask('POST', PATH, body, key)).json).toEqual(first.json)
    expect((await api.ask('GET', '/v1/conversions')).json.items).toHaveLength(2)
    const cancelled = await api.ask('POST', `${PATH}/${first.json.id}/cancel`)
    expect(cancelled.json).toMatchObject({ state: 'failed', counts: { cancelled: 2 } })
    expect((await api.ask('GET', `${PATH}/019ab000-0000-7000-8000-000000000000`)).status).toBe(404)
  })
})
