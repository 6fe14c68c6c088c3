import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { readEvents, type ServerSentEvent } from '../../../test/support/servers/read-events.ts'
import { EventLog } from '../../jobs/events/event-log.ts'

const PATH = '/v1/conversions'
let count = 0
const conversion = () => ({ source: 'r.test/a:1', target: `r.test/a:t${count++}` })

describeDatabases('events over HTTP', (open) => {
  let opened: TestDatabase
  let one: JobApi
  let two: JobApi
  let urls: [string, string]
  beforeAll(async () => {
    opened = await open()
    one = await JobApi.open(opened)
    two = await JobApi.open(opened)
    urls = [await one.app.listen({ port: 0 }), await two.app.listen({ port: 0 })]
  })
  afterAll(async () => {
    await one[Symbol.asyncDispose]()
    await two[Symbol.asyncDispose]()
    await opened.close()
  })

  it('of a conversion are streamed from start to end, and resume after the last event at any replica', async () => {
    const { json } = await one.request('POST', PATH, conversion())
    const at = `${PATH}/${json.id}/events`
    const first: ServerSentEvent[] = []
    let claimed: Awaited<ReturnType<typeof two.leases.claim>>
    for await (const event of readEvents(urls[0] + at)) {
      first.push(event)
      if (event.event === 'queued') {
        claimed = await two.leases.claim('w')
        if (!claimed) throw new Error('no job')
        await two.leases.saveProgress(claimed.lease, { phase: 'converting' }, { phase: 'converting' })
      } else if (event.event === 'progress' && claimed) {
        await two.leases.fail(claimed.lease, { code: 'NOT_FOUND', message: 'gone' })
      }
    }
    expect(first.map(({ id, event }) => [id, event])).toEqual([
      ['1', 'queued'],
      ['2', 'started'],
      [undefined, 'progress'],
      ['3', 'failed'],
    ])
    expect(first.at(-1)?.data).toMatchObject({ jobId: json.id, error: { code: 'NOT_FOUND' } })
    const remaining = await Array.fromAsync(readEvents(urls[1] + at, '1'))
    expect(remaining.map(({ event }) => event)).toEqual(['started', 'failed'])
    expect((await two.request('GET', at, undefined, { 'last-event-id': '3' })).status).toBe(204)
    expect((await two.request('GET', at, undefined, { 'last-event-id': 'x' })).status).toBe(400)
    expect((await two.request('GET', `${PATH}/019ab000-0000-7000-8000-000000000000/events`)).status).toBe(404)
  })

  it('of all jobs are each sent once, whichever replica creates them and however often the client reconnects', async () => {
    const wanted = 60
    const seen: ServerSentEvent[] = []
    // Starts from a known event, so that no event before the first connection is missed.
    await one.request('POST', PATH, conversion())
    const before = await new EventLog(opened.database).latestCursor()
    const reading = (async () => {
      let last = before
      while (seen.length < wanted) {
        // Reads ten events per connection, alternating between the replicas.
        const url = `${urls[seen.length % 20 === 0 ? 0 : 1]}/v1/events`
        let read = 0
        for await (const event of readEvents(url, last)) {
          seen.push(event)
          last = event.id ?? last
          if (++read === 10) break
        }
      }
    })()
    const accepted = await Promise.all(
      Array.from({ length: wanted }, (_, n) => (n % 2 ? one : two).request('POST', PATH, conversion())),
    )
    await reading
    expect(seen.map(({ event }) => event)).toEqual(Array.from({ length: wanted }, () => 'queued'))
    const ids = seen.map(({ data }) => data.jobId)
    expect(ids.toSorted()).toEqual(accepted.map(({ json }) => json.id).toSorted())
    expect(seen[0]?.data).toMatchObject({ kind: 'conversion', source: 'r.test/a:1', seq: 1 })
    expect((await one.request('GET', '/v1/events', undefined, { 'last-event-id': 'no' })).status).toBe(400)
  })
})
