import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JobLeases } from '../claims/job-leases.ts'
import type { JobKind, JobState, Lease } from '../job.ts'
import { BatchStore, type ProjectBatches } from './batch-store.ts'
import { cancelJobs } from './cancel-jobs.ts'
import { JobStore } from './job-store.ts'
import type { ProjectJobs } from './project-jobs.ts'

const KINDS: readonly JobKind[] = ['conversion', 'verification']
const ERROR = { code: 'X', message: 'x' }
const ACTIONS = [
  'create',
  'createBatch',
  'claim',
  'succeed',
  'fail',
  'retryLater',
  'release',
  'endCancelled',
  'cancel',
  'retry',
  'expire',
  'reap',
  'remove',
] as const
/** An action, and the index of the job or lease to which it applies. */
const step = fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(20))

describeDatabases('counts of jobs', (open) => {
  let database: Database
  let store: ProjectJobs
  let batches: ProjectBatches
  let leases: JobLeases
  let batchIds: string[] = []
  let close: () => Promise<void>
  let tagCount = 0
  let jobs: { kind: JobKind; id: string }[] = []
  let held: Lease[] = []

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    const jobs = new JobStore(database)
    store = jobs.in(ProjectScope.ALL)
    batches = new BatchStore(database, jobs).in(ProjectScope.ALL)
    leases = new JobLeases(database)
  })
  afterAll(() => close())
  const clear = async () => {
    await database.query.deleteFrom('jobs').execute()
    await database.query.deleteFrom('batches').execute()
    jobs = []
    batchIds = []
    held = []
  }
  beforeEach(clear)

  const countRows = async (kind: JobKind) => {
    const { rows } = await sql<{ state: JobState; count: number }>`
      select state, count(*) as count from jobs where kind = ${kind} group by state`.execute(database.query)
    return { ...none, ...Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)])) }
  }
  const countBatchRows = async (id: string) => {
    const { rows } = await sql<{ state: JobState; count: number }>`select state, count(*) as count
      from batch_jobs inner join jobs on jobs.id = job_id where batch_id = ${id} group by state`.execute(
      database.query,
    )
    return { ...none, ...Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)])) }
  }
  const expectCountsToMatch = async () => {
    for (const kind of KINDS) expect(await store.countByState(kind)).toEqual(await countRows(kind))
    for (const id of batchIds) {
      const counts = await countBatchRows(id)
      const isUnfinished = counts.queued + counts.running > 0
      const state = isUnfinished ? 'running' : counts.failed + counts.cancelled > 0 ? 'failed' : 'succeeded'
      expect(await batches.get(id)).toMatchObject({ counts, state })
    }
  }
  const none = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }

  const actions: Record<(typeof ACTIONS)[number], (index: number) => Promise<unknown>> = {
    create: async (index) => {
      const kind = KINDS[index % 2] ?? 'conversion'
      const target = kind === 'conversion' ? `r.test/a:${tagCount++}` : ''
      const { job } = await store.create({ kind, source: `r.test/a:${tagCount++}`, target, request: {} })
      jobs.push({ kind, id: job.id })
    },
    createBatch: async () => {
      const conversion = (n: number) => ({
        kind: 'conversion' as const,
        source: `r.test/b:${n}`,
        target: `r.test/b:${n}`,
        request: {},
      })
      // One job twice, and all of them often in several batches.
      const members = [0, 1, 1, tagCount++ % 4].map(conversion)
      const batch = await batches.create(members, { labels: {}, requestKey: undefined })
      batchIds.push(batch.id)
      for (const { kind, id: jobId } of (await batches.jobs(batch, { after: -1, limit: 9 })).items) {
        jobs.push({ kind, id: jobId })
      }
    },
    claim: async (index) => {
      const claimed = await leases.claim(`w${index % 3}:`)
      if (claimed) held.push(claimed.lease)
    },
    succeed: (index) => withLease(index, (lease) => leases.succeed(lease, {})),
    fail: (index) => withLease(index, (lease) => leases.fail(lease, ERROR)),
    retryLater: (index) => withLease(index, (lease) => leases.retryLater(lease, ERROR, 0)),
    release: (index) => withLease(index, (lease) => leases.release(lease)),
    endCancelled: (index) => withLease(index, (lease) => leases.endCancelled(lease)),
    cancel: (index) => withJob(index, ({ kind, id }) => store.cancel(kind, id)),
    retry: (index) => withJob(index, ({ kind, id }) => store.retry(kind, id)),
    expire: (index) => leases.expireOwnedBy(`w${index % 3}:`),
    reap: () => leases.reapExpired(),
    remove: (index) =>
      withJob(index, async ({ id }) => {
        const members = await database.query
          .selectFrom('batch_jobs')
          .select('batch_id')
          .where('job_id', '=', id)
          .execute()
        // The counts of a batch are those of all jobs that it ever had.
        if (members.length === 0) await database.query.deleteFrom('jobs').where('id', '=', id).execute()
      }),
  }
  const withLease = async (index: number, act: (lease: Lease) => Promise<unknown>) => {
    const lease = held[index % Math.max(1, held.length)]
    if (lease) await act(lease)
  }
  const withJob = async (index: number, act: (job: { kind: JobKind; id: string }) => Promise<unknown>) => {
    const job = jobs[index % Math.max(1, jobs.length)]
    if (job) await act(job)
  }

  it('match the jobs after any sequence of actions', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        await clear()
        for (const [action, index] of steps) {
          await actions[action](index)
          await expectCountsToMatch()
        }
      }),
      { numRuns: 25 },
    )
  })

  it('match the jobs after concurrent writes', async () => {
    for (let n = 0; n < 40; n++) await actions.create(n)
    for (let n = 0; n < 4; n++) await actions.createBatch(n)
    const workers = Array.from({ length: 8 }, async (_, lane) => {
      for (let claimed = await leases.claim('w'); claimed; claimed = await leases.claim('w')) {
        const { job, lease } = claimed
        if (lane % 3 === 0) await leases.fail(lease, ERROR)
        else await leases.succeed(lease, {})
        if (lane === 3 && job.attempt === 1) await store.retry(job.kind, job.id)
      }
    })
    const cancels = jobs.slice(30).map(({ kind, id }) => store.cancel(kind, id))
    await Promise.all([...workers, ...cancels])
    await expectCountsToMatch()
    const { succeeded, failed, cancelled } = await store.countByState('conversion')
    expect(succeeded + failed + cancelled).toBe(24)
  })

  it('match the jobs after concurrent cancellations of jobs in the same batches', async () => {
    const members = Array.from({ length: 80 }, (_, n) => ({
      kind: 'conversion' as const,
      source: `r.test/c:${n}`,
      target: `r.test/c:${n}`,
      request: {},
    }))
    const ids: string[] = []
    for (const member of members) ids.push((await store.create(member)).job.id)
    // Of two neighbours, one is in each batch: now the older, now the younger one in the first batch.
    for (const places of [
      [0, 3],
      [1, 2],
    ]) {
      const some = members.filter((_, n) => places.includes(n % 4))
      batchIds.push((await batches.create(some, { labels: {}, requestKey: undefined })).id)
    }
    const pairs = ids.flatMap((id, n) => (n % 2 === 0 ? [[id, ids[n + 1] ?? '']] : []))
    await Promise.all(pairs.map((pair) => cancelJobs(database, ProjectScope.ALL, 'conversion', pair)))
    expect((await store.countByState('conversion')).cancelled).toBe(80)
    await expectCountsToMatch()
  })

  it('do not change with a transaction that is rolled back', async () => {
    await actions.create(0)
    await actions.claim(0)
    const change = database.query.transaction().execute(async (transaction) => {
      await transaction.updateTable('jobs').set({ state: 'succeeded' }).execute()
      throw new Error('no')
    })
    await expect(change).rejects.toThrow('no')
    expect(await store.countByState('conversion')).toEqual({ ...none, running: 1 })
  })
})
