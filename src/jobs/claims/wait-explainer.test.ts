import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { NewJob } from '../queue/accept-job.ts'
import { JobStore } from '../queue/job-store.ts'
import type { ProjectJobs } from '../queue/project-jobs.ts'
import { WorkerDirectory } from '../worker/worker-directory.ts'
import { JobLeases } from './job-leases.ts'
import { registryLimitsOf } from './registry-limits.ts'
import { WaitExplainer } from './wait-explainer.ts'

const ERROR = { code: 'X', message: 'x' }

describeDatabases('what a queued job waits for', (open) => {
  let database: Database
  let store: ProjectJobs
  let leases: JobLeases
  let workers: WorkerDirectory
  let waits: WaitExplainer
  let close: () => Promise<void>
  let count = 0

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    store = new JobStore(database).in(ProjectScope.ALL)
    leases = new JobLeases(database)
    workers = new WorkerDirectory(database)
    waits = new WaitExplainer(database, workers)
  })
  afterAll(() => close())
  beforeEach(async () => {
    for (const table of ['jobs', 'workers', 'host_pauses'] as const) {
      await database.query.deleteFrom(table).execute()
    }
  })

  const create = async (job: Partial<NewJob> = {}) => {
    const target = `b.test/a:${count++}`
    const accepted = await store.create({
      kind: 'conversion',
      source: 'a.test/a:1',
      sourceHost: 'a.test',
      targetHost: 'b.test',
      target,
      request: {},
      ...job,
    })
    return accepted.job.id
  }
  const explain = (id: string) => waits.explain({ kind: 'conversion', id, project: 'default' })
  const claim = async (owner = 'w') => {
    const claimed = await leases.claim(owner)
    if (!claimed) throw new Error('no job was claimed')
    return claimed.lease
  }

  it('is a worker, if none runs, and nothing while one is free', async () => {
    const id = await create()
    expect(await explain(id)).toEqual({ position: 1, reason: 'no-worker' })
    await workers.heartbeat('w', { concurrency: 2 })
    expect(await explain(id)).toEqual({ position: 1, reason: 'starting' })
    await claim()
    expect(await explain(id)).toBeUndefined()
    expect(await explain('019ab000-0000-7000-8000-000000000000')).toBeUndefined()
  })

  it('is its turn: priority first, then rank', async () => {
    const [first, second, urgent] = [await create(), await create(), await create({ priority: 5 })]
    const positions = await Promise.all([first, second, urgent].map(explain))
    expect(positions.map((wait) => wait?.position)).toEqual([2, 3, 1])
  })

  it('is a free place in a worker', async () => {
    await workers.heartbeat('w', { concurrency: 1 })
    await create()
    await claim()
    const id = await create()
    expect(await explain(id)).toEqual({ position: 1, reason: 'workers-busy' })
    await workers.heartbeat('w2', { concurrency: 1, isDiskFull: true })
    expect(await explain(id)).toMatchObject({ reason: 'workers-busy' })
    await workers.remove('w')
    expect(await explain(id)).toMatchObject({ reason: 'disk-full' })
  })

  it('is the end of a pause after a failure, or of one that a registry asked for', async () => {
    await workers.heartbeat('w', { concurrency: 9 })
    const failed = await create()
    await leases.retryLater(await claim(), ERROR, 60_000)
    const { runAt } = (await store.get('conversion', failed)) ?? {}
    expect(await explain(failed)).toEqual({ position: 1, reason: 'retry-pause', until: runAt })
    const throttled = await create()
    await leases.throttle(await claim(), ERROR, 60_000, 'a.test')
    expect(await explain(throttled)).toMatchObject({ reason: 'retry-pause' })
    const other = await create()
    expect(await explain(other)).toMatchObject({
      reason: 'registry-pause',
      registry: 'a.test',
      until: expect.any(Number),
    })
    expect(await leases.claim('w')).toBeUndefined()
  })

  it('is a job with the same target', async () => {
    await workers.heartbeat('w', { concurrency: 9 })
    const running = await create({ target: 'b.test/a:same', request: { n: 1 } })
    await claim()
    const id = await create({ target: 'b.test/a:same', request: { n: 2 } })
    expect(await explain(id)).toEqual({ position: 1, reason: 'same-target', jobId: running })
    expect(await leases.claim('w')).toBeUndefined()
  })

  it('is the limit of a registry, unless a worker has none', async () => {
    const registryLimits = new Map([
      ['a.test', 1],
      ['*', 5],
    ])
    await workers.heartbeat('w', { concurrency: 9, registryLimits })
    await create()
    await claim()
    const id = await create()
    const reason = { reason: 'registry-limit', registry: 'a.test', limit: 1, running: 1 }
    expect(await explain(id)).toEqual({ position: 1, ...reason })
    const limited = new JobLeases(database, { limits: registryLimitsOf(registryLimits) })
    expect(await limited.claim('w')).toBeUndefined()
    await workers.heartbeat('w2', { concurrency: 9 })
    expect(await explain(id)).toMatchObject({ reason: 'starting' })
    expect(await leases.claim('w2')).toBeDefined()
  })

  it('is an idle worker, if one died while running the job', async () => {
    await workers.heartbeat('w', { concurrency: 9 })
    await create()
    await claim()
    const suspect = await create()
    const later = await create()
    await database.query.updateTable('jobs').set({ suspect: 1 }).where('id', '=', suspect).execute()
    expect(await explain(suspect)).toEqual({ position: 1, reason: 'idle-worker-needed' })
    expect(await explain(later)).toEqual({ position: 2, reason: 'starting' })
    await database.query
      .updateTable('jobs')
      .set({ run_at: sql`run_at - 700000` })
      .where('id', '=', suspect)
      .execute()
    expect(await explain(later)).toEqual({ position: 2, reason: 'suspect-first', jobId: suspect })
    expect(await leases.claim('w', { isIdle: false })).toBeUndefined()
    await workers.heartbeat('w2', { concurrency: 9 })
    expect(await explain(suspect)).toMatchObject({ reason: 'starting' })
    expect((await leases.claim('w2', { isIdle: true }))?.job.id).toBe(suspect)
    // It runs alone.
    await workers.remove('w')
    expect(await explain(later)).toMatchObject({ reason: 'workers-busy' })
  })

  it('is the quota of the project, whose own jobs alone count in its place', async () => {
    const jobs = new JobStore(database)
    const createIn = async (project: string) =>
      (
        await jobs
          .in(ProjectScope.of(project))
          .create({ kind: 'conversion', source: 'a.test/a:1', target: `b.test/q:${count++}`, request: {} })
      ).job
    const quotas = { quotas: { runningJobs: 1 } }
    await database.query
      .insertInto('projects')
      .values({ name: 'team-q', document: JSON.stringify(quotas), created_at: 1, updated_at: 1 })
      .execute()
    await workers.heartbeat('w', { concurrency: 9 })
    await createIn('team-q')
    await claim()
    for (let n = 0; n < 3; n++) await createIn('team-b')
    const [first, second] = [await createIn('team-q'), await createIn('team-q')]
    const limit = { reason: 'project-limit', limit: 1, running: 1 }
    expect(await waits.explain(first)).toEqual({ position: 1, ...limit })
    expect(await waits.explain(second)).toEqual({ position: 2, ...limit })
    expect(await waits.explain(await createIn('team-b'))).toEqual({ position: 4, reason: 'starting' })
  })
})
