import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JobLeases } from '../claims/job-leases.ts'
import type { NewJob } from '../queue/accept-job.ts'
import { JobStore } from '../queue/job-store.ts'
import type { ProjectJobs } from '../queue/project-jobs.ts'
import type { JobHandler } from './job-runner.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { runWorker, type WorkerOptions } from './run-worker.ts'

const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: { a: 1 } }
const silentLog = { info() {}, warn() {}, error() {} }
/** Short enough for the tests to see renewals. */
const SHORT_MS = 2_000

describeDatabases('a worker', (open) => {
  let opened: TestDatabase
  let store: ProjectJobs
  let leases: JobLeases
  let keeper: LeaseKeeper

  beforeAll(async () => {
    opened = await open()
    store = new JobStore(opened.database).in(ProjectScope.ALL)
    leases = new JobLeases(opened.database, { leaseMs: SHORT_MS })
    keeper = new LeaseKeeper(opened.url, SHORT_MS, silentLog)
  })
  afterAll(async () => {
    await keeper[Symbol.asyncDispose]()
    await opened.close()
  })
  beforeEach(() => opened.database.query.deleteFrom('jobs').execute())

  const start = (
    handler: JobHandler,
    signal: AbortSignal,
    graceMs = 0,
    overrides: Partial<WorkerOptions> = {},
  ) =>
    runWorker(
      {
        leases,
        keeper,
        notifier: opened.database.notifier,
        handlers: { conversion: handler, verification: handler },
        owner: 'w',
        concurrency: 1,
        stallSeconds: 600,
        graceMs,
        log: silentLog,
        ...overrides,
      },
      signal,
    )

  /** Runs a worker until the job is in a state, and returns the job. */
  const runUntil = async (handler: JobHandler, state: string, overrides: Partial<WorkerOptions> = {}) => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const running = start(handler, stop.signal, 0, overrides)
    await vi.waitUntil(async () => (await store.get('conversion', id))?.state === state, {
      timeout: 20_000,
      interval: 20,
    })
    stop.abort()
    await running
    return store.get('conversion', id)
  }

  it('finishes a job with its report', async () => {
    expect(await runUntil(async () => ({ fine: 1 }), 'succeeded')).toMatchObject({ report: { fine: 1 } })
  })

  it('retries after a retryable error, and stores any other one with the failed job', async () => {
    let tries = 0
    const retryable = async () => {
      if (tries++ === 0) throw Object.assign(new Error('busy'), { code: 'UNAVAILABLE', retryable: true })
      return {}
    }
    expect(await runUntil(retryable, 'succeeded')).toMatchObject({ failures: 1, attempt: 2 })
    const permanent = async () => {
      throw Object.assign(new Error('no such image'), { code: 'NOT_FOUND' })
    }
    expect(await runUntil(permanent, 'failed')).toMatchObject({
      error: { code: 'NOT_FOUND', message: 'no such image' },
      attempt: 1,
    })
  })

  it('stores its progress with the part that listings show', async () => {
    const summaries: unknown[] = []
    const handler: JobHandler = async (_, { onProgress }) => {
      onProgress({ layers: [{ size: 5 }] })
      await vi.waitFor(
        async () => {
          const { items } = await store.list('conversion', { states: ['running'] }, { limit: 1 })
          expect(items[0]?.progressSummary).toEqual({ kind: 'conversion', layerCount: 1 })
          summaries.push(items[0]?.progressSummary)
        },
        { timeout: 20_000 },
      )
      return {}
    }
    const summarizeProgress: WorkerOptions['summarizeProgress'] = (kind, progress) => ({
      kind,
      layerCount: (progress as { layers: unknown[] }).layers.length,
    })
    const done = await runUntil(handler, 'succeeded', { summarizeProgress })
    expect(summaries).toHaveLength(1)
    expect(done?.progressSummary).toBeUndefined()
  })

  it('logs what went wrong when it cannot claim jobs, and continues', async () => {
    const { query } = opened.database
    const errors: string[] = []
    const log = { ...silentLog, error: (_: object, message: string) => errors.push(message) }
    await query.schema.alterTable('host_pauses').renameTo('host_pauses_away').execute()
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const running = start(async () => ({}), stop.signal, 0, { log })
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0), { timeout: 20_000 })
    await query.schema.alterTable('host_pauses_away').renameTo('host_pauses').execute()
    await vi.waitFor(
      async () => expect(await store.get('conversion', id)).toMatchObject({ state: 'succeeded' }),
      { timeout: 20_000 },
    )
    stop.abort()
    await running
    // SQLite names another table of the statement than the one that is missing.
    expect(errors[0]).toMatch(/^claiming or ending a job failed: .*(no such table|does not exist)/)
  })

  it('keeps its lease although the main thread is busy for longer than the lease lasts', async () => {
    // Long enough for the thread to be scheduled on a busy machine.
    const leaseMs = 2 * SHORT_MS
    const longLeases = new JobLeases(opened.database, { leaseMs })
    await using longKeeper = new LeaseKeeper(opened.url, leaseMs, silentLog)
    const busy = async () => {
      const deadline = performance.now() + leaseMs + 500
      while (performance.now() < deadline) Math.hypot(1, 2)
      return {}
    }
    const done = await runUntil(busy, 'succeeded', { leases: longLeases, keeper: longKeeper })
    expect(done).toMatchObject({ attempt: 1, crashes: 0 })
  })

  it('stops within two seconds when the job is cancelled', async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const started = Promise.withResolvers<void>()
    let stoppedAt = 0
    const running = start(async (_, { signal }) => {
      started.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      stoppedAt = performance.now()
      signal.throwIfAborted()
    }, stop.signal)
    await started.promise
    const requestedAt = performance.now()
    await store.cancel('conversion', id)
    await vi.waitUntil(async () => (await store.get('conversion', id))?.state === 'cancelled', {
      interval: 20,
    })
    expect(stoppedAt - requestedAt).toBeLessThan(2_000)
    stop.abort()
    await running
    expect((await store.listAttempts({ id, project: 'default' })).map(({ outcome }) => outcome)).toEqual([
      'cancelled',
    ])
  })

  it('cancels within two seconds however busy its main thread is', async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const running = start(async (_, { signal }) => {
      await store.cancel('conversion', id)
      const deadline = performance.now() + 2_200
      while (performance.now() < deadline) Math.hypot(1, 2)
      stop.abort()
      // The message of the cancellation waits until the work yields.
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      signal.throwIfAborted()
    }, stop.signal)
    await running
    const { requestedAt, finishedAt } = await opened.database.query
      .selectFrom('jobs')
      .select(['cancel_requested_at as requestedAt', 'finished_at as finishedAt'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    expect(Number(finishedAt) - Number(requestedAt)).toBeLessThan(2_000)
    expect((await store.listAttempts({ id, project: 'default' })).map(({ outcome }) => outcome)).toEqual([
      'cancelled',
    ])
  })

  it('ends a stalled attempt that ignores its abort, and continues with other jobs', async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const other = (await store.create({ ...job, target: 'r.test/a:3' })).job
    const running = start(
      ({ id: jobId }) => (jobId === id ? new Promise<never>(() => undefined) : Promise.resolve({})),
      stop.signal,
      0,
      { stallSeconds: 1, abandonAfterMs: 10 },
    )
    await vi.waitUntil(async () => (await store.get('conversion', other.id))?.state === 'succeeded', {
      timeout: 20_000,
      interval: 20,
    })
    const [first] = await store.listAttempts({ id, project: 'default' })
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
    const concurrent: string[][] = []
    const worker = start(
      async ({ id }) => {
        running.add(id)
        concurrent.push([...running])
        await new Promise((resolve) => setTimeout(resolve, 20))
        running.delete(id)
        return {}
      },
      stop.signal,
      0,
      { concurrency: 4 },
    )
    await vi.waitUntil(async () => (await store.countByState('conversion')).succeeded === 6, {
      timeout: 20_000,
      interval: 20,
    })
    stop.abort()
    await worker
    const shared = concurrent.filter((ids) => ids.length > 1)
    expect(shared.length).toBeGreaterThan(0)
    expect(shared.flat().filter((id) => suspects.has(id))).toEqual([])
  })

  it('releases a job when it has to stop, at no cost to the job', async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    await start(async (_, { signal }) => {
      stop.abort()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      signal.throwIfAborted()
    }, stop.signal)
    expect(await store.get('conversion', id)).toMatchObject({ state: 'queued', failures: 0, crashes: 0 })
  })

  it('releases a job in time whose handler ignores the abort when the worker has to stop', {
    timeout: 15_000,
  }, async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    await start(() => {
      stop.abort()
      return new Promise<never>(() => undefined)
    }, stop.signal)
    expect(await store.get('conversion', id)).toMatchObject({ state: 'queued', failures: 0, crashes: 0 })
  })

  it('finishes jobs that end within the grace time, and starts no more', async () => {
    const stop = new AbortController()
    const { id } = (await store.create(job)).job
    const other = (await store.create({ ...job, target: 'r.test/a:3' })).job
    const handler: JobHandler = async (_, { signal }) => {
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
