import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/open.ts'
import type { NewJob } from './accept.ts'
import { JobLeases } from './leases.ts'
import { JobStore } from './store.ts'
import { uniqueKey } from './unique-key.ts'

const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: { a: 1 } }

describe('the key of a job', () => {
  it('is the same for the same work, in whatever order it is told', () => {
    const at = { kind: 'conversion', source: 'a', target: 'b' }
    const key = uniqueKey({ ...at, request: { platforms: ['x', 'y'], options: { a: 1, b: undefined } } })
    expect(uniqueKey({ ...at, request: { options: { a: 1 }, platforms: ['x', 'y'] } })).toBe(key)
    expect(uniqueKey({ ...at, request: { options: { a: 1 }, platforms: ['y', 'x'] } })).not.toBe(key)
    expect(uniqueKey({ ...at, target: 'c', request: {} })).not.toBe(uniqueKey({ ...at, request: {} }))
  })
})

describeDatabases('jobs', (open) => {
  let store: JobStore
  let leases: JobLeases
  let database: Database
  let close: () => Promise<void>

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    store = new JobStore(database)
    leases = new JobLeases(database)
  })
  afterAll(() => close())
  beforeEach(() => database.query.deleteFrom('jobs').execute())

  const targets = async (filter: Parameters<JobStore['list']>[1]) =>
    (await store.list('conversion', filter, { limit: 9 })).items.map((item) => item.target)

  it('are kept once accepted, and listed newest first in pages', async () => {
    const created = []
    for (const target of ['a', 'b', 'c']) created.push((await store.create({ ...job, target })).job)
    expect(await store.get('conversion', created[0]?.id ?? '')).toMatchObject({
      state: 'queued',
      request: { a: 1 },
      attempt: 0,
    })
    const first = await store.list('conversion', {}, { limit: 2 })
    expect(first.items.map((item) => item.target)).toEqual(['c', 'b'])
    // What comes in between does not shift the pages.
    await store.create({ ...job, target: 'd' })
    const second = await store.list('conversion', {}, { limit: 2, ...(first.next && { after: first.next }) })
    expect(second.items.map((item) => item.target)).toEqual(['a'])
    expect(second.next).toBeUndefined()
    expect((await store.list('verification', {}, { limit: 9 })).items).toEqual([])
  })

  it('are found by state, ends, labels and time', async () => {
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
    expect(await targets({ from: last.createdAt + 1 })).toEqual([])
    expect(await targets({ to: last.createdAt + 1 })).toEqual(['c', 'b', 'a'])
    expect(await targets({ from: last.createdAt })).toContain('c')
    expect(await store.counts('conversion')).toEqual({
      queued: 2,
      running: 1,
      succeeded: 0,
      failed: 0,
      cancelled: 0,
    })
  })

  it('are joined while they do the same and are not over', async () => {
    const first = await store.create(job)
    const second = await store.create({ ...job, priority: 5 })
    expect([first.outcome, second.outcome]).toEqual(['created', 'joined'])
    expect(second.job).toMatchObject({ id: first.job.id, priority: 5 })
    const claim = await leases.claim('w')
    expect((await store.create(job)).outcome).toBe('joined')
    if (!claim) throw new Error('no claim')
    await leases.succeed(claim.lease, {})
    expect((await store.create(job)).outcome).toBe('created')
  })

  it('are made once by many who ask at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => store.create(job)))
    expect(new Set(made.map((one) => one.job.id)).size).toBe(1)
    expect(made.filter((one) => one.outcome === 'created')).toHaveLength(1)
  })

  it('are made once by one request, also when they are over', async () => {
    const first = await store.create({ ...job, requestKey: 'k' })
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no claim')
    await leases.succeed(claim.lease, {})
    expect(await store.create({ ...job, requestKey: 'k' })).toMatchObject({
      outcome: 'repeated',
      job: { id: first.job.id },
    })
  })

  it('are refused when too many wait, but not those that would not wait more', async () => {
    const small = new JobStore(database, { maxQueued: 2 })
    const first = await small.create({ ...job, target: 'a' })
    await small.create({ ...job, target: 'b' })
    await expect(small.create({ ...job, target: 'c' })).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      retryAfterMs: 5_000,
    })
    expect((await small.create({ ...job, target: 'a' })).job.id).toBe(first.job.id)
    await expect(
      new JobStore(database, { maxQueued: 3 }).createAll([
        { ...job, target: 'd' },
        { ...job, target: 'e' },
      ]),
    ).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    expect(await targets({})).toEqual(['b', 'a'])
  })

  it('are cancelled at once while they wait, and by their worker while they run', async () => {
    const waiting = (await store.create(job)).job
    expect(await store.cancel('conversion', waiting.id)).toMatchObject({ state: 'cancelled' })
    const { id } = (await store.create(job)).job
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no claim')
    expect(await store.cancel('conversion', id)).toMatchObject({ state: 'running', cancelRequested: true })
    expect(await leases.holds(claim.lease)).toBe(false)
    // Who asks for the same now gets one of their own.
    expect((await store.create(job)).outcome).toBe('created')
    // Whatever ends the attempt, the job does not go on.
    await leases.retryLater(claim.lease, { code: 'NETWORK', message: 'x' }, 0)
    expect(await store.get('conversion', id)).toMatchObject({ state: 'cancelled' })
    expect((await store.get('conversion', id))?.finishedAt).toBeDefined()
    expect(await store.cancel('verification', id)).toBeUndefined()
  })

  it('are tried again on request, unless the same is under way or there is nothing to try', async () => {
    const { id } = (await store.create(job)).job
    expect((await store.retry('conversion', id)).outcome).toBe('not-over')
    await store.cancel('conversion', id)
    const same = (await store.create(job)).job
    expect(await store.retry('conversion', id)).toMatchObject({ outcome: 'conflict', job: { id: same.id } })
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no claim')
    await leases.succeed(claim.lease, {})
    expect((await store.retry('conversion', same.id)).outcome).toBe('succeeded')
    expect((await store.retry('verification', id)).outcome).toBe('missing')
    const again = await store.retry('conversion', id)
    expect(again).toMatchObject({ outcome: 'queued', job: { id, state: 'queued', failures: 0 } })
    expect(again.job?.finishedAt).toBeUndefined()
    expect((await store.create(job)).job.id).toBe(id)
  })

  it('are waited for until they are over, and no longer than asked', async () => {
    const { job: made } = await store.create(job)
    const never = new AbortController().signal
    expect((await store.untilOver(made, 50, never)).state).toBe('queued')
    const waiting = store.untilOver(made, 20_000, never)
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no claim')
    await leases.succeed(claim.lease, {})
    expect((await waiting).state).toBe('succeeded')
  })

  it('need their records until they are over', async () => {
    await store.create({ ...job, recordId: 'r1' })
    expect(await store.needsRecord('r1')).toBe(true)
    const claim = await leases.claim('w')
    if (!claim) throw new Error('no claim')
    await leases.succeed(claim.lease, {})
    expect(await store.needsRecord('r1')).toBe(false)
  })
})
