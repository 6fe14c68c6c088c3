import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases } from '../../test/support/databases.ts'
import type { Database } from '../db/open.ts'
import type { JobKind, JobState, Lease } from './job.ts'
import { JobLeases } from './queue/leases.ts'
import { JobStore } from './queue/store.ts'

const KINDS: readonly JobKind[] = ['conversion', 'verification']
const ERROR = { code: 'X', message: 'x' }
const ACTS = [
  'create',
  'claim',
  'succeed',
  'fail',
  'retryLater',
  'handBack',
  'endCancelled',
  'cancel',
  'retry',
  'expire',
  'reap',
  'remove',
] as const
/** What is done, and to which of the jobs or leases there are. */
const step = fc.tuple(fc.constantFrom(...ACTS), fc.nat(20))

describeDatabases('counts of jobs', (open) => {
  let database: Database
  let store: JobStore
  let leases: JobLeases
  let close: () => Promise<void>
  let made = 0
  let jobs: { kind: JobKind; id: string }[] = []
  let held: Lease[] = []

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    store = new JobStore(database)
    leases = new JobLeases(database)
  })
  afterAll(() => close())
  const clear = async () => {
    await database.query.deleteFrom('jobs').execute()
    jobs = []
    held = []
  }
  beforeEach(clear)

  const counted = async (kind: JobKind) => {
    const { rows } = await sql<{ state: JobState; count: number }>`
      select state, count(*) as count from jobs where kind = ${kind} group by state`.execute(database.query)
    return { ...none, ...Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)])) }
  }
  const none = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }

  const acts: Record<(typeof ACTS)[number], (at: number) => Promise<unknown>> = {
    create: async (at) => {
      const kind = KINDS[at % 2] ?? 'conversion'
      const target = kind === 'conversion' ? `r.test/a:${made++}` : ''
      const { job } = await store.create({ kind, source: `r.test/a:${made++}`, target, request: {} })
      jobs.push({ kind, id: job.id })
    },
    claim: async (at) => {
      const claimed = await leases.claim(`w${at % 3}:`)
      if (claimed) held.push(claimed.lease)
    },
    succeed: (at) => withLease(at, (lease) => leases.succeed(lease, {})),
    fail: (at) => withLease(at, (lease) => leases.fail(lease, ERROR)),
    retryLater: (at) => withLease(at, (lease) => leases.retryLater(lease, ERROR, 0)),
    handBack: (at) => withLease(at, (lease) => leases.handBack(lease)),
    endCancelled: (at) => withLease(at, (lease) => leases.cancelled(lease)),
    cancel: (at) => withJob(at, ({ kind, id }) => store.cancel(kind, id)),
    retry: (at) => withJob(at, ({ kind, id }) => store.retry(kind, id)),
    expire: (at) => leases.expire(`w${at % 3}:`),
    reap: () => leases.reap(),
    remove: (at) => withJob(at, ({ id }) => database.query.deleteFrom('jobs').where('id', '=', id).execute()),
  }
  const withLease = async (at: number, act: (lease: Lease) => Promise<unknown>) => {
    const lease = held[at % Math.max(1, held.length)]
    if (lease) await act(lease)
  }
  const withJob = async (at: number, act: (job: { kind: JobKind; id: string }) => Promise<unknown>) => {
    const job = jobs[at % Math.max(1, jobs.length)]
    if (job) await act(job)
  }

  it('are those of the jobs after whatever happens to them', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        await clear()
        for (const [act, at] of steps) {
          await acts[act](at)
          for (const kind of KINDS) expect(await store.counts(kind)).toEqual(await counted(kind))
        }
      }),
      { numRuns: 25 },
    )
  })

  it('are those of the jobs when many write at the same time', async () => {
    for (let n = 0; n < 40; n++) await acts.create(n)
    const works = Array.from({ length: 8 }, async (_, lane) => {
      for (let claimed = await leases.claim('w'); claimed; claimed = await leases.claim('w')) {
        const { job, lease } = claimed
        if (lane % 3 === 0) await leases.fail(lease, ERROR)
        else await leases.succeed(lease, {})
        if (lane === 3 && job.attempt === 1) await store.retry(job.kind, job.id)
      }
    })
    const cancels = jobs.slice(30).map(({ kind, id }) => store.cancel(kind, id))
    await Promise.all([...works, ...cancels])
    for (const kind of KINDS) expect(await store.counts(kind)).toEqual(await counted(kind))
    const { succeeded, failed, cancelled } = await store.counts('conversion')
    expect(succeeded + failed + cancelled).toBe(20)
  })

  it('do not change with a transaction that comes to nothing', async () => {
    await acts.create(0)
    await acts.claim(0)
    const change = database.query.transaction().execute(async (transaction) => {
      await transaction.updateTable('jobs').set({ state: 'succeeded' }).execute()
      throw new Error('no')
    })
    await expect(change).rejects.toThrow('no')
    expect(await store.counts('conversion')).toEqual({ ...none, running: 1 })
  })
})
