import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { MAX_LEASES_LOST } from '../failure-policy.ts'
import type { Lease } from '../job.ts'
import type { NewJob } from '../queue/accept-job.ts'
import { JobStore } from '../queue/job-store.ts'
import type { ProjectJobs } from '../queue/project-jobs.ts'
import { JobLeases, LEASE_MS } from './job-leases.ts'

const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: { a: 1 } }
let jobCount = 0
const newJob = (): NewJob => ({ ...job, target: `r.test/a:${jobCount++}` })

describeDatabases('leases', (open) => {
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
  beforeEach(async () => {
    await database.query.deleteFrom('jobs').execute()
    await database.query.deleteFrom('host_pauses').execute()
  })

  const expireLeases = () =>
    database.query
      .updateTable('jobs')
      .set({ lease_until: sql`lease_until - ${sql.lit(LEASE_MS + 1)}` })
      .execute()
  const endWaits = () => database.query.updateTable('jobs').set({ run_at: 0 }).execute()
  const claim = async (owner = 'w') => {
    const claimed = await leases.claim(owner)
    if (!claimed) throw new Error('no job was claimed')
    return claimed
  }
  /** Tries everything that depends on a lease, and returns what succeeded. */
  const tryWrites = async (lease: Lease) => [
    await leases.saveProgress(lease, {}),
    await leases.succeed(lease, {}),
    await leases.fail(lease, { code: 'X', message: 'x' }),
    await leases.endCancelled(lease),
    await leases.retryLater(lease, { code: 'X', message: 'x' }, 0),
    await leases.throttle(lease, { code: 'X', message: 'x' }, 60_000, 'r.test'),
    await leases.release(lease),
    await leases.isHeld(lease),
    (await leases.renew([lease])).has(lease.token),
  ]

  it('give each job to one of many claimers', async () => {
    for (let n = 0; n < 20; n++) await store.create(newJob())
    const claims = await Promise.all(Array.from({ length: 30 }, (_, n) => leases.claim(`w${n}`)))
    const ids = claims.flatMap((claimed) => claimed?.job.id ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    // Claims that compete for one row may return nothing; repeated ones return the remaining jobs.
    for (let next = await leases.claim('late'); next; next = await leases.claim('late')) ids.push(next.job.id)
    expect(new Set(ids).size).toBe(20)
  })

  it('go to the job with the highest priority first, then to the one that waits longest', async () => {
    const created: string[] = []
    for (const priority of [0, 5, -1, 5]) created.push((await store.create({ ...newJob(), priority })).job.id)
    const order = []
    for (const _ of created) order.push((await claim()).job.id)
    expect(order.map((id) => created.indexOf(id))).toEqual([1, 3, 0, 2])
  })

  it('of a dead worker let another one claim its job, and allow the dead one no write', async () => {
    const { id } = (await store.create(job)).job
    const dead = await claim('dead')
    expect(await leases.claim('next')).toBeUndefined()
    await expireLeases()
    expect(new Set(await tryWrites(dead.lease))).toEqual(new Set([false]))
    const next = await claim('next')
    expect(next.job).toMatchObject({ attempt: 2, crashes: 1, failures: 0 })
    expect(new Set(await tryWrites(dead.lease))).toEqual(new Set([false]))
    expect(await leases.succeed(next.lease, { done: true })).toBe(true)
    expect(new Set(await tryWrites(next.lease))).toEqual(new Set([false]))
    expect(await store.get('conversion', id)).toMatchObject({ state: 'succeeded', report: { done: true } })
    expect(await store.listAttempts({ id, project: 'default' })).toMatchObject([
      { attempt: 1, owner: 'dead', outcome: 'crashed', error: { code: 'WORKER_DIED' } },
      { attempt: 2, owner: 'next', outcome: 'succeeded', error: undefined },
    ])
  })

  it('are invalid with the right owner and attempt but another token', async () => {
    await store.create(job)
    const { lease } = await claim()
    expect(new Set(await tryWrites({ ...lease, token: 'of-another-claim' }))).toEqual(new Set([false]))
    expect(await leases.isHeld(lease)).toBe(true)
  })

  it('are extended by renewal unless they are lost', async () => {
    await store.create(newJob())
    await store.create(newJob())
    const [first, second] = [await claim(), await claim()]
    const lost = { ...first.lease, token: 'lost' }
    expect([...(await leases.renew([lost, second.lease]))]).toEqual([second.lease.token])
    expect([...(await leases.renew([]))]).toEqual([])
  })

  it('expire at once when their worker is known to be dead', async () => {
    await store.create(newJob())
    await store.create(newJob())
    await claim('host:12:a')
    await claim('host:123:b')
    await leases.expireOwnedBy('host:12:')
    expect((await claim('next')).job).toMatchObject({ attempt: 2, crashes: 1 })
    expect(await leases.claim('next')).toBeUndefined()
  })

  it('fail a job that killed its workers, and store every attempt', async () => {
    const { id } = (await store.create(job)).job
    for (let n = 0; n < 3; n++) {
      await claim(`dead${n}`)
      await expireLeases()
      await leases.reapExpired()
      // The first retry follows at once, each further one after a longer wait.
      if (n === 1) expect(await leases.claim('next')).toBeUndefined()
      await endWaits()
    }
    expect(await leases.claim('next')).toBeUndefined()
    expect(await store.get('conversion', id)).toMatchObject({
      state: 'failed',
      crashes: 3,
      failures: 0,
      error: { code: 'WORKER_DIED' },
    })
    expect((await store.listAttempts({ id, project: 'default' })).map(({ outcome }) => outcome)).toEqual([
      'crashed',
      'crashed',
      'crashed',
    ])
  })

  it('that a living worker fails to renew cost the job nothing, until it happens too often', async () => {
    const { id } = (await store.create(job)).job
    // A release by a stopping worker does not count.
    await leases.release((await claim()).lease)
    for (let n = 1; n < MAX_LEASES_LOST; n++) {
      await claim()
      await expireLeases()
    }
    expect((await claim()).job).toMatchObject({ id, failures: 0, crashes: 0 })
    await expireLeases()
    expect(await leases.claim('w')).toBeUndefined()
    const error = { code: 'LEASE_LOST', message: expect.stringContaining(`${MAX_LEASES_LOST} times`) }
    expect(await store.get('conversion', id)).toMatchObject({
      state: 'failed',
      failures: 0,
      crashes: 0,
      error,
    })
    expect((await store.listAttempts({ id, project: 'default' })).at(-1)).toMatchObject({
      outcome: 'failed',
      error,
    })
  })

  it('attribute the death of a worker to none of several jobs that it ran', async () => {
    const ids = (await store.createAll([newJob(), newJob(), newJob()])).map(({ job: created }) => created.id)
    for (const _ of ids) await leases.claim('dead')
    await expireLeases()
    expect(await leases.reapExpired()).toBe(3)
    for (const id of ids) {
      expect(await store.get('conversion', id)).toMatchObject({
        crashes: 0,
        isSuspect: true,
        state: 'queued',
      })
    }
    // A worker that runs another job skips them.
    expect(await leases.claim('busy', { isIdle: false })).toBeUndefined()
    const alone = await claim('next')
    expect(alone.job).toMatchObject({ id: ids[0], isSuspect: true })
    await expireLeases()
    await leases.reapExpired()
    expect(await store.get('conversion', alone.job.id)).toMatchObject({ crashes: 1 })
  })

  it('keep the rank of a job whose worker died, and of one that is retried', async () => {
    const [first, second] = (await store.createAll([newJob(), newJob()])).map(
      ({ job: created }) => created.id,
    )
    await claim('dead')
    await expireLeases()
    await leases.reapExpired()
    expect((await claim()).job.id).toBe(first)
    const { lease, job: next } = await claim()
    expect(next.id).toBe(second)
    const later = (await store.create(newJob())).job.id
    await leases.retryLater(lease, { code: 'NETWORK', message: 'x' }, 0)
    expect([(await claim()).job.id, (await claim()).job.id]).toEqual([second, later])
  })

  it('do not let busy workers skip a suspect for ever', async () => {
    const [suspect, other] = (await store.createAll([newJob(), newJob()])).map(
      ({ job: created }) => created.id,
    )
    await claim('dead')
    await expireLeases()
    await leases.reapExpired()
    await database.query
      .updateTable('jobs')
      .set({ run_at: sql`run_at - 600001` })
      .where('id', '=', suspect ?? '')
      .execute()
    // Busy workers claim nothing until one of them is idle.
    expect(await leases.claim('busy', { isIdle: false })).toBeUndefined()
    expect((await claim('idle')).job.id).toBe(suspect)
    expect((await leases.claim('busy', { isIdle: false }))?.job.id).toBe(other)
  })

  it('store the error of every attempt', async () => {
    const { id } = (await store.create(job)).job
    for (const message of ['one', 'two']) {
      await leases.retryLater((await claim()).lease, { code: 'NETWORK', message }, 0)
    }
    await leases.release((await claim()).lease)
    await leases.fail((await claim()).lease, { code: 'NOT_FOUND', message: 'three' })
    const attempts = await store.listAttempts({ id, project: 'default' })
    expect(attempts.map(({ outcome, error }) => [outcome, error?.message])).toEqual([
      ['failed', 'one'],
      ['failed', 'two'],
      ['released', undefined],
      ['failed', 'three'],
    ])
    expect(await store.get('conversion', id)).toMatchObject({ state: 'failed', failures: 2, crashes: 0 })
  })

  it('delay a retry for as long as requested', async () => {
    await store.create(job)
    await leases.retryLater((await claim()).lease, { code: 'NETWORK', message: 'x' }, 60_000)
    expect(await leases.claim('w')).toBeUndefined()
  })

  it('pause a registry that limited the request rate, at no cost in failures', async () => {
    const jobFrom = (sourceHost: string) => ({ ...newJob(), sourceHost, targetHost: 't.test' })
    const { id } = (await store.create(jobFrom('busy.test'))).job
    await store.create(jobFrom('busy.test'))
    const other = (await store.create(jobFrom('fine.test'))).job
    const error = { code: 'RATE_LIMITED', message: 'x' }
    await leases.throttle((await claim()).lease, error, 60_000, 'busy.test')
    expect((await claim()).job.id).toBe(other.id)
    expect(await leases.claim('w')).toBeUndefined()
    expect(await store.get('conversion', id)).toMatchObject({ failures: 0, throttles: 1, state: 'queued' })
  })

  it('start no job while another one with the same target is running', async () => {
    const first = (await store.create(job)).job
    const second = (await store.create({ ...job, variant: 'pushed again' })).job
    const other = (await store.create(newJob())).job
    const { job: started, lease } = await claim()
    expect(started.id).toBe(first.id)
    expect((await claim()).job.id).toBe(other.id)
    expect(await leases.claim('w')).toBeUndefined()
    await leases.succeed(lease, {})
    expect((await claim()).job.id).toBe(second.id)
  })

  it('start one of many jobs with the same target, however many claims are concurrent', async () => {
    for (const variant of ['a', 'b', 'c', 'd']) await store.create({ ...job, variant })
    for (let round = 0; round < 30; round++) {
      const claims = await Promise.all(Array.from({ length: 8 }, (_, n) => leases.claim(`w${n}`)))
      const [started, ...others] = claims.flatMap((claimed) => claimed ?? [])
      expect(others).toEqual([])
      if (!started) throw new Error('no job was claimed')
      // The job of a dead worker blocks the others until its lease is reaped.
      if (round === 15) await leases.expireOwnedBy('w')
      else expect(await leases.release(started.lease)).toBe(true)
    }
  })

  it('start no more jobs with a registry than its limit allows', async () => {
    const limited = new JobLeases(database, { limits: (host) => (host === 'small.test' ? 2 : undefined) })
    const ends = [
      { sourceHost: 'small.test', targetHost: 'a.test' },
      { sourceHost: 'a.test', targetHost: 'small.test' },
      { sourceHost: 'small.test', targetHost: 'small.test' },
      { sourceHost: 'a.test', targetHost: 'b.test' },
    ]
    const ids: string[] = []
    for (const end of ends) ids.push((await store.create({ ...newJob(), ...end })).job.id)
    const claims = await Promise.all(Array.from({ length: 6 }, () => limited.claim('w')))
    const claimed = claims.flatMap((each) => each ?? [])
    for (let next = await limited.claim('w'); next; next = await limited.claim('w')) claimed.push(next)
    expect(claimed).toHaveLength(3)
    const small = claimed.find((each) => each.job.id !== ids[3])
    if (!small) throw new Error('no job was claimed')
    await limited.succeed(small.lease, {})
    expect(await limited.claim('w')).toBeDefined()
  })
})
