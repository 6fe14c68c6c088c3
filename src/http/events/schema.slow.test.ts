import { expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { readEvents } from '../../../test/support/servers/read-events.ts'
import { summarizeConversion } from '../../conversion/progress-summary.ts'
import { ConversionProgress } from '../../conversion/report.ts'
import { JobLeases } from '../../jobs/claims/job-leases.ts'
import { BrokerEventView, JobEventView } from './schema.ts'

const DIGEST = `sha256:${'7'.repeat(64)}`
const PROGRESS = ConversionProgress.parse({
  phase: 'converting',
  layers: [{ digest: DIGEST, platform: 'linux/amd64', state: 'converting', size: 10, read: 5, written: 2 }],
})
const error = { code: 'NETWORK', message: 'the connection broke' }

describeDatabases('the schemas of events', (open) => {
  it('describe every field of every event', async () => {
    await using stack = new AsyncDisposableStack()
    const opened = await open()
    stack.defer(opened.close)
    const api = stack.use(await JobApi.open(opened))
    const url = await api.app.listen({ port: 0 })
    const events = readEvents(`${url}/v1/events`, '0.0.')[Symbol.asyncIterator]()
    stack.defer(async () => void (await events.return?.(undefined)))
    const seen = new Set<string>()
    const see = async (type: string) => {
      for (;;) {
        const { value } = await events.next()
        if (!value) throw new Error(`the stream ended before ${type}`)
        const event = asReceived(value)
        expect(BrokerEventView.parse(event)).toEqual(event)
        seen.add(value.event)
        if (value.event === type) return
      }
    }
    const claim = async (leases = api.leases) => {
      const claimed = await leases.claim('worker-1')
      if (!claimed) throw new Error('no job')
      await see('started')
      return claimed.lease
    }
    const create = async (tag: string) => {
      const { json } = await api.request('POST', '/v1/conversions', {
        source: 'r.test/a:1',
        target: `r.test/a:${tag}`,
      })
      await see('queued')
      return json.id as string
    }
    const { leases } = api

    const id = await create('first')
    await leases.retryLater(await claim(), error, 0)
    await see('retrying')
    await leases.throttle(await claim(), error, 0, undefined)
    await see('throttled')
    await leases.release(await claim())
    await see('released')
    const running = await claim()
    await leases.saveProgress(running, PROGRESS, summarizeConversion(PROGRESS))
    await see('progress')
    for await (const event of readEvents(`${url}/v1/conversions/${id}/events`)) {
      expect(JobEventView.parse(asReceived(event))).toEqual(asReceived(event))
      if (event.event === 'progress') break
    }
    await api.request('POST', `/v1/conversions/${id}/cancel`)
    await see('cancel-requested')
    await leases.endCancelled(running)
    await see('cancelled')
    await api.request('POST', `/v1/conversions/${id}/retry`)
    await see('queued')
    await leases.succeed(await claim(), { digest: DIGEST, size: 1, sourceSize: 2 })
    await see('succeeded')
    await create('second')
    await leases.fail(await claim(), error)
    await see('failed')
    await create('third')
    const short = new JobLeases(opened.database, { leaseMs: 1 })
    await claim(short)
    await short.reapExpired()
    await see('crashed')

    expect([...seen].sort()).toEqual(BrokerEventView.options.map(({ shape }) => shape.event.value).toSorted())
    // The stream of one job has the same events, without what all of them have in common.
    const own = await Array.fromAsync(readEvents(`${url}/v1/conversions/${id}/events`), asReceived)
    expect(own.map((event) => JobEventView.parse(event))).toEqual(own)
    expect(own.length).toBeGreaterThan(8)
  })
})

/** An event without the id that it does not have. */
function asReceived({ id, event, data }: { id: string | undefined; event: string; data: object }): object {
  return { ...(id !== undefined && { id }), event, data }
}
