import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JobLeases } from '../claims/job-leases.ts'
import type { NewJob } from './accept-job.ts'
import { JobStore } from './job-store.ts'
import type { ProjectJobs } from './project-jobs.ts'
import { computeUniqueKey } from './unique-key.ts'

const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: { a: 1 } }

describe('the unique key of a job', () => {
  it('does not depend on the order of the fields of the request', () => {
    const common = { project: 'default', kind: 'conversion', source: 'a', target: 'b' }
    const key = computeUniqueKey({
      ...common,
      request: { platforms: ['x', 'y'], options: { a: 1, b: undefined } },
    })
    expect(computeUniqueKey({ ...common, request: { options: { a: 1 }, platforms: ['x', 'y'] } })).toBe(key)
    expect(computeUniqueKey({ ...common, request: { options: { a: 1 }, platforms: ['y', 'x'] } })).not.toBe(
      key,
    )
    expect(computeUniqueKey({ ...common, project: 'team-a', request: {} })).not.toBe(
      computeUniqueKey({ ...common, request: {} }),
    )
    expect(computeUniqueKey({ ...common, target: 'c', request: {} })).not.toBe(
      computeUniqueKey({ ...common, request: {} }),
    )
  })
})

describeDatabases('jobs', (open) => {
  let store: ProjectJobs
  let leases: JobLeases
  let database: Database
  let close: () => Promise<void>

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    store = new JobStore(database).in(ProjectScope.ALL)
    leases = new JobLeases(database)
  })
  afterAll(() => close())
  beforeEach(() => database.query.deleteFrom('jobs').execute())

  const targets = async (filter: Parameters<ProjectJobs['list']>[1]) =>
    (await store.list('conversion', filter, { limit: 9 })).items.map((item) => item.target)

  it('are stored once accepted, and listed newest first in pages', async () => {
    const created = []
    for (const target of ['a', 'b', 'c']) created.push((await store.create({ ...job, target })).job)
    expect(await store.get('conversion', created[0]?.id ?? '')).toMatchObject({
      state: 'queued',
      request: { a: 1 },
      attempt: 0,
    })
    const first = await store.list('conversion', {}, { limit: 2 })
    expect(first.items.map((item) => item.target)).toEqual(['c', 'b'])
    // A new job does not shift the pages.
    await store.create({ ...job, target: 'd' })
    const second = await store.list('conversion', {}, { limit: 2, ...(first.next && { after: first.next }) })
    expect(second.items.map((item) => item.target)).toEqual(['a'])
    expect(second.next).toBeUndefined()
    expect((await store.list('verification', {}, { limit: 9 })).items).toEqual([])
  })

  it('are filtered by state, source, target, labels and time', async () => {
    await store.create({ ...job, target: 'a', labels: { team: 'x', stage: '1' } })
    await store.create({ ...job, target: 'b', labels: { team: 'x' } })
    const last = (await store.create({ ...job, target: 'c', labels: { team: 'y' }, priority: 1 })).job
    await leases.claim('w')
    expect(await targets({ target: 'b' })).toEqual(['b'])
    expect(await targets({ source: 'other' })).toEqual([])
    expect(await targets({ states: ['running'] })).toEqual(['c'])
    expect(await targets({ states: ['running', 'queued'] })).toEqual(['c', 'b', 'a'])
    expect(await targets({ labels: { team: 'x' } })).toEqual(['b', 'a'])
    expect(await targets({ labels: { team: 'x', stage: '1' } })).toEqual(['a'])
    expect(await targets({ createdFrom: last.createdAt + 1 })).toEqual([])
    expect(await targets({ createdBefore: last.createdAt + 1 })).toEqual(['c', 'b', 'a'])
    expect(await targets({ createdFrom: last.createdAt })).toContain('c')
    expect(await store.countByState('conversion')).toEqual({
      queued: 2,
      running: 1,
      succeeded: 0,
      failed: 0,
      cancelled: 0,
    })
  })

  it('are joined by requests for the same work while they are unfinished', async () => {
    const first = await store.create(job)
    const second = await store.create({ ...job, priority: 5 })
    expect([first.outcome, second.outcome]).toEqual(['created', 'joined'])
    expect(second.job).toMatchObject({ id: first.job.id, priority: 5 })
    const claim = await leases.claim('w')
    expect((await store.create(job)).outcome).toBe('joined')
    if (!claim) throw new Error('no job was claimed')
    await leases.succeed(claim.lease, {})
    expect((await store.create(job)).outcome).toBe('created')
  })

  it('are created once by concurrent requests', async () => {
    const accepted = await Promise.all(Array.from({ length: 20 }, () => store.create(job)))
    expect(new Set(accepted.map((each) => each.job.id)).size).toBe(1)
    expect(accepted.filter(({ outcome }) => outcome === 'created')).toHaveLength(1)
  })

  it('are created once per request key, even after they finish', async () => {
    const first = await store.create({ ...job, requestKey: 'k' })
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no job was claimed')
    await leases.succeed(claim.lease, {})
    expect(await store.create({ ...job, requestKey: 'k' })).toMatchObject({
      outcome: 'repeated',
      job: { id: first.job.id },
    })
  })

  it('are rejected when the queue is full, unless they join a queued job', async () => {
    const limited = new JobStore(database, { maxQueued: 2 }).in(ProjectScope.ALL)
    const first = await limited.create({ ...job, target: 'a' })
    await limited.create({ ...job, target: 'b' })
    await expect(limited.create({ ...job, target: 'c' })).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      retryAfterMs: 5_000,
    })
    expect((await limited.create({ ...job, target: 'a' })).job.id).toBe(first.job.id)
    await expect(
      new JobStore(database, { maxQueued: 3 }).in(ProjectScope.ALL).createAll([
        { ...job, target: 'd' },
        { ...job, target: 'e' },
      ]),
    ).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    expect(await targets({})).toEqual(['b', 'a'])
  })

  it('are cancelled at once while queued, and by their worker while running', async () => {
    const waiting = (await store.create(job)).job
    expect(await store.cancel('conversion', waiting.id)).toMatchObject({ state: 'cancelled' })
    const { id } = (await store.create(job)).job
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no job was claimed')
    expect(await store.cancel('conversion', id)).toMatchObject({ state: 'running', isCancelRequested: true })
    expect(await leases.isHeld(claim.lease)).toBe(false)
    // A later request for the same work creates a new job.
    expect((await store.create(job)).outcome).toBe('created')
    // However the attempt ends, the job does not continue.
    await leases.retryLater(claim.lease, { code: 'NETWORK', message: 'x' }, 0)
    expect(await store.get('conversion', id)).toMatchObject({ state: 'cancelled' })
    expect((await store.get('conversion', id))?.finishedAt).toBeDefined()
    expect(await store.cancel('verification', id)).toBeUndefined()
  })

  it('are retried on request if they failed or were cancelled and no other job does the same work', async () => {
    const { id } = (await store.create(job)).job
    expect((await store.retry('conversion', id)).outcome).toBe('unfinished')
    await store.cancel('conversion', id)
    const same = (await store.create(job)).job
    expect(await store.retry('conversion', id)).toMatchObject({ outcome: 'conflict', job: { id: same.id } })
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no job was claimed')
    await leases.succeed(claim.lease, {})
    expect((await store.retry('conversion', same.id)).outcome).toBe('succeeded')
    expect((await store.retry('verification', id)).outcome).toBe('missing')
    const again = await store.retry('conversion', id)
    expect(again).toMatchObject({ outcome: 'queued', job: { id, state: 'queued', failures: 0 } })
    expect(again.job?.finishedAt).toBeUndefined()
    expect((await store.create(job)).job.id).toBe(id)
  })

  it('are waited for until they finish, and no longer than requested', async () => {
    const { job: created } = await store.create(job)
    const never = new AbortController().signal
    expect((await store.waitUntilFinished(created, 50, never)).state).toBe('queued')
    const waiting = store.waitUntilFinished(created, 20_000, never)
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no job was claimed')
    await leases.succeed(claim.lease, {})
    expect((await waiting).state).toBe('succeeded')
  })

  it('do not count in the queue when their transaction fails', async () => {
    const limited = new JobStore(database, { maxQueued: 2 }).in(ProjectScope.ALL)
    const fail = async () => {
      throw new Error('no')
    }
    const jobs = [
      { ...job, target: 'a' },
      { ...job, target: 'b' },
    ]
    await expect(limited.createAll(jobs, fail)).rejects.toThrow('no')
    // Its places are free at once, although the count of the queue is reused.
    expect(await limited.createAll(jobs)).toHaveLength(2)
    await expect(limited.create({ ...job, target: 'c' })).rejects.toThrow('at most 2 jobs')
  })

  it('are retried only if the queue has a place, which a failed retry does not take', async () => {
    const limited = new JobStore(database, { maxQueued: 1 }).in(ProjectScope.ALL)
    const { id } = (await store.create(job)).job
    await store.cancel('conversion', id)
    const { id: same } = (await store.create(job)).job
    expect(await store.retry('conversion', id)).toMatchObject({ outcome: 'conflict', job: { id: same } })
    await expect(limited.retry('conversion', id)).rejects.toThrow('at most 1 jobs')
    await store.cancel('conversion', same)
    const fresh = new JobStore(database, { maxQueued: 1 }).in(ProjectScope.ALL)
    expect(await fresh.retry('conversion', id)).toMatchObject({ outcome: 'queued' })
    await expect(fresh.retry('conversion', same)).rejects.toThrow('at most 1 jobs')
  })
})
