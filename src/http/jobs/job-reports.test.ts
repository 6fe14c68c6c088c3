import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { CallbackStore } from '../../jobs/events/callback-store.ts'

const DIGEST = `sha256:${'7'.repeat(64)}`
const report = {
  source: 'r.test/b@sha256:1',
  target: 'r.test/b:2',
  digest: DIGEST,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  size: 1,
  sourceSize: 2,
  images: [],
  dropped: [],
  kept: [],
  durationMs: 1,
}

describeDatabases('reports of jobs', (open) => {
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

  it('are not read by requests that do not show them', async () => {
    const rule = { name: 'r', source: 'r.test/**', target: '{host}/{repository}:{tag}-esgz' }
    await api.request('POST', '/v1/rules', rule)
    const push = {
      type: 'PUSH_ARTIFACT',
      event_data: { resources: [{ resource_url: 'r.test/team/app:1', digest: DIGEST }] },
    }
    const [{ conversions }] = (await api.request('POST', '/v1/hooks/harbor', push)).json.items
    const request = { source: 'r.test/a:1', target: 'r.test/a:2', callbackUrl: 'http://127.0.0.1:1/' }
    const batch = await api.request('POST', '/v1/conversion-batches', { conversions: [request] })
    for (let n = 0; n < 2; n++) await api.finishNextJob(report)
    // Reading a report fails from here on.
    await sql`update jobs set report = 'no JSON'`.execute(opened.database.query)
    const ok = async (method: 'GET' | 'POST', url: string, body?: object) => {
      const { status, json } = await api.request(method, url, body)
      expect([url, status]).toEqual([url, 200])
      return json
    }

    const { id } = conversions[0]
    expect((await api.request('GET', `/v1/conversions/${id}`)).status).toBe(500)
    expect((await ok('GET', '/v1/conversions')).items).toHaveLength(2)
    expect((await ok('GET', `/v1/conversion-batches/${batch.json.id}/conversions`)).items).toHaveLength(1)
    const sizes = { source_size: 2, target_size: 1, status: 'COMPLETED' }
    expect(await ok('GET', '/api/v1/conversions')).toMatchObject([sizes, sizes])
    expect(await ok('POST', '/api/v1/conversions?sync=true', push)).toBe('Ok')
    expect((await ok('POST', '/v1/hooks/harbor', push)).items).toMatchObject([{ conversions: [{ id }] }])
    const events = await api.app.inject({ url: `/v1/conversions/${id}/events` })
    expect(events.body).toContain('event: succeeded')
    const due = await new CallbackStore(opened.database).claim()
    expect(due?.job).toMatchObject({ state: 'succeeded', digest: DIGEST })
  })

  it('are shown when a request for a finished job is repeated', async () => {
    const request = { source: 'r.test/b:1', target: 'r.test/b:2' }
    const headers = { 'idempotency-key': 'k' }
    const { id } = (await api.request('POST', '/v1/conversions', request, headers)).json
    await api.finishNextJob(report)
    // As if the stored response had been lost: the job is found by the key of its request.
    await sql`delete from request_keys`.execute(opened.database.query)
    const again = await api.request('POST', '/v1/conversions', request, headers)
    expect(again).toMatchObject({ status: 200, json: { id, state: 'succeeded', report } })
    const waited = await api.request('GET', `/v1/conversions/${id}`, undefined, { prefer: 'wait=1' })
    expect(waited.json.report).toEqual(report)
  })
})
