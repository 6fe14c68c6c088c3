import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { CallbackStore } from '../events/callback-store.ts'
import type { Lease } from '../job.ts'
import { JobStore } from '../queue/job-store.ts'
import type { ProjectJobs } from '../queue/project-jobs.ts'
import { JobLeases } from './job-leases.ts'

const FIRST = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const SECOND = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01'

describeDatabases('traces of attempts', (open) => {
  let opened: TestDatabase
  let store: ProjectJobs
  let leases: JobLeases
  beforeAll(async () => {
    opened = await open()
    store = new JobStore(opened.database).in(ProjectScope.ALL)
    leases = new JobLeases(opened.database)
  })
  afterAll(() => opened.close())
  const claim = async (): Promise<Lease> => {
    const claimed = await leases.claim('w')
    if (!claimed) throw new Error('no job')
    return claimed.lease
  }

  it('the next attempt finds the span of the one before, and a job without a trace gets that of its first', async () => {
    const request = { source: 'r.test/a:1', target: 'r.test/a:2' }
    const job = { kind: 'conversion' as const, ...request, request, requestId: 'request-1' }
    const { id } = (await store.create({ ...job, callbackUrl: 'http://127.0.0.1:1/' })).job
    const first = await claim()
    expect(await leases.exchangeTrace(first, FIRST)).toBeUndefined()
    expect(await store.get('conversion', id)).toMatchObject({ requestId: 'request-1', traceparent: FIRST })
    await leases.release(first)
    const second = await claim()
    expect(await leases.exchangeTrace(second, SECOND)).toBe(FIRST)
    expect(await store.get('conversion', id)).toMatchObject({ traceparent: FIRST })
    // A worker that has lost its lease changes nothing of the job.
    await leases.exchangeTrace({ ...first, token: 'lost' }, SECOND)
    expect(await store.get('conversion', id)).toMatchObject({ traceparent: FIRST })
    await leases.succeed(second, { digest: 'sha256:aa' })
    const callback = await new CallbackStore(opened.database).claim()
    expect(callback).toMatchObject({ requestId: 'request-1', traceparent: FIRST })
  })
})
