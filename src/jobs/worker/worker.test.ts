import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import type { NewJob } from '../queue/accept.ts'
import { JobLeases } from '../queue/leases.ts'
import { JobStore } from '../queue/store.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { type Handler, runWorker, type WorkerOptions } from './worker.ts'

const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: { a: 1 } }
const quiet = { info() {}, warn() {}, error() {} }
/** Short enough to see leases renewed. */
const SHORT_MS = 2_000

describeDatabases('a worker', (open) => {
  let opened: TestDatabase
  let store: JobStore
  let leases: JobLeases
  let keeper: LeaseKeeper

  beforeAll(async () => {
    opened = await open()
    store = new JobStore(opened.database)
    leases = new JobLeases(opened.database, { leaseMs: SHORT_MS })
    keeper = new LeaseKeeper(opened.url, SHORT_MS, quiet)
  })
  afterAll(async () => {
    await keeper[Symbol.asyncDispose]()
    await opened.close()
  })
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  const start = (handler: Handler, signal: AbortSignal, graceMs = 0, more: Partial<WorkerOptions> = {}) =>
    runWorker(
      {
        leases,
        keeper,
        wakeups: opened.database.wakeups,
        handlers: { conversion: handler, verification: handler },
        owner: 'w',
        concurrency: 1,
        stallSeconds: 600,
        graceMs,
        log: quiet,
        ...more,
      },
      signal,
    )

  const work = async (handler: Handler, until: string, more: Partial<WorkerOptions> = {}) => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const running = start(handler, stop.signal, 0, more)
    await vi.waitUntil(async () => (await store.get('conversion', id))?.state === until, {
      timeout: 20_000,
      interval: 20,
    })
    stop.abort()
    await running
    return store.get('conversion', id)
  }

  it('finishes a job with its report', async () => {
    expect(await work(async () => ({ fine: 1 }), 'succeeded')).toMatchObject({ report: { fine: 1 } })
  })

  it('tries again what may pass, and keeps the reason of what may not', async () => {
    let tries = 0
    const passing = async () => {
      if (tries++ === 0) throw Object.assign(new Error('busy'), { code: 'UNAVAILABLE', retryable: true })
      return {}
    }
    expect(await work(passing, 'succeeded')).toMatchObject({ failures: 1, attempt: 2 })
    const lasting = async () => {
      throw Object.assign(new Error('no such image'), { code: 'NOT_FOUND' })
    }
    expect(await work(lasting, 'failed')).toMatchObject({
      error: { code: 'NOT_FOUND', message: 'no such image' },
      attempt: 1,
    })
  })

  it('keeps its lease although the thread that works is busy for longer than the lease is', async () => {
    // Long enough for a thread to get its turn on a busy machine.
    const leaseMs = 2 * SHORT_MS
    const longer = new JobLeases(opened.database, { leaseMs })
    await using keeping = new LeaseKeeper(opened.url, leaseMs, quiet)
    const busy = async () => {
      const until = performance.now() + leaseMs + 500
      while (performance.now() < until) Math.hypot(1, 2)
      return {}
    }
    const done = await work(busy, 'succeeded', { leases: longer, keeper: keeping })
    expect(done).toMatchObject({ attempt: 1, crashes: 0 })
  })

  it('stops within two seconds when the job is cancelled', async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const begun = Promise.withResolvers<void>()
    let stopped = 0
    const running = start(async (_, { signal }) => {
      begun.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      stopped = performance.now()
      signal.throwIfAborted()
    }, stop.signal)
    await begun.promise
    const asked = performance.now()
    await store.cancel('conversion', id)
    await vi.waitUntil(async () => (await store.get('conversion', id))?.state === 'cancelled', {
      interval: 20,
    })
    expect(stopped - asked).toBeLessThan(2_000)
    stop.abort()
    await running
    expect((await store.attempts(id)).map((one) => one.outcome)).toEqual(['cancelled'])
  })

  it('cancels within two seconds however busy its main thread is', async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const running = start(async (_, { signal }) => {
      await store.cancel('conversion', id)
      const until = performance.now() + 2_200
      while (performance.now() < until) Math.hypot(1, 2)
      stop.abort()
      // The word of the cancellation waits behind the work.
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      signal.throwIfAborted()
    }, stop.signal)
    await running
    const { asked, over } = await opened.database.query
      .selectFrom('jobs')
      .select(['cancel_requested_at as asked', 'finished_at as over'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    expect(Number(over) - Number(asked)).toBeLessThan(2_000)
    expect((await store.attempts(id)).map((one) => one.outcome)).toEqual(['cancelled'])
  })

  it('ends an attempt that stands still, though it does not stop, and goes on with others', async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const other = (await store.create({ ...job, target: 'r.test/a:3' })).job
    const running = start(
      (one) => (one.id === id ? new Promise<never>(() => undefined) : Promise.resolve({})),
      stop.signal,
      0,
      { stallSeconds: 1, leftAfterMs: 10 },
    )
    await vi.waitUntil(async () => (await store.get('conversion', other.id))?.state === 'succeeded', {
      timeout: 20_000,
      interval: 20,
    })
    const [first] = await store.attempts(id)
    expect(first).toMatchObject({
      outcome: 'failed',
      error: { code: 'STALLED', message: expect.stringContaining('RECORD_BROKER_STALL_SECONDS') },
    })
    expect(await store.get('conversion', id)).toMatchObject({ failures: 1 })
    await store.cancel('conversion', id)
    stop.abort()
    await running
  })

  it('runs a job that is suspected to have killed a worker alone', async () => {
    const stop = new AbortController()
    const jobs = await store.createAll(
      Array.from({ length: 6 }, (_, n) => ({ ...job, target: `r.test/a:${n}` })),
    )
    const suspects = new Set([jobs[1]?.job.id, jobs[3]?.job.id])
    for (const id of suspects) {
      await opened.database.query
        .updateTable('jobs')
        .set({ suspect: 1 })
        .where('id', '=', id ?? '')
        .execute()
    }
    const running = new Set<string>()
    const together: string[][] = []
    const working = start(
      async ({ id }) => {
        running.add(id)
        together.push([...running])
        await new Promise((resolve) => setTimeout(resolve, 20))
        running.delete(id)
        return {}
      },
      stop.signal,
      0,
      { concurrency: 4 },
    )
    await vi.waitUntil(async () => (await store.counts('conversion')).succeeded === 6, {
      timeout: 20_000,
      interval: 20,
    })
    stop.abort()
    await working
    const shared = together.filter((ids) => ids.length > 1)
    expect(shared.length).toBeGreaterThan(0)
    expect(shared.flat().filter((id) => suspects.has(id))).toEqual([])
  })

  it('hands a job back when it has to stop, at no cost to the job', async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    await start(async (_, { signal }) => {
      stop.abort()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      signal.throwIfAborted()
    }, stop.signal)
    expect(await store.get('conversion', id)).toMatchObject({ state: 'queued', failures: 0, crashes: 0 })
  })

  it('hands back in time what does not end when the worker has to stop', { timeout: 15_000 }, async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    await start(() => {
      stop.abort()
      return new Promise<never>(() => undefined)
    }, stop.signal)
    expect(await store.get('conversion', id)).toMatchObject({ state: 'queued', failures: 0, crashes: 0 })
  })

  it('finishes what ends within the grace time, and begins nothing more', async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const other = (await store.create({ ...job, target: 'r.test/a:3' })).job
    const handler: Handler = async (_, { signal }) => {
      stop.abort()
      await new Promise((resolve) => setImmediate(resolve))
      signal.throwIfAborted()
      return {}
    }
    await start(handler, stop.signal, 20_000)
    expect((await store.get('conversion', id))?.state).toBe('succeeded')
    expect((await store.get('conversion', other.id))?.state).toBe('queued')
  })
})
