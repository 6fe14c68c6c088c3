import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/open.ts'
import { type Lease, MAX_LEASES_LOST } from '../job.ts'
import type { NewJob } from './accept.ts'
import { JobLeases, LEASE_MS } from './leases.ts'
import { JobStore } from './store.ts'

const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: { a: 1 } }
let made = 0
const another = (): NewJob => ({ ...job, target: `r.test/a:${made++}` })

describeDatabases('leases', (open) => {
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
  beforeEach(async () => {
    await database.query.deleteFrom('jobs').execute()
    await database.query.deleteFrom('host_pauses').execute()
  })

  const leaseRunsOut = () =>
    database.query
      .updateTable('jobs')
      .set({ lease_until: sql`lease_until - ${sql.lit(LEASE_MS + 1)}` })
      .execute()
  const waitsAreOver = () => database.query.updateTable('jobs').set({ run_at: 0 }).execute()
  const claim = async (owner = 'w', by = leases) => {
    const claimed = await by.claim(owner)
    if (!claimed) throw new Error('there was no job')
    return claimed
  }
  /** Every write that a worker can do. */
  const writes = async (lease: Lease) => [
    await leases.progress(lease, {}),
    await leases.succeed(lease, {}),
    await leases.fail(lease, { code: 'X', message: 'x' }),
    await leases.cancelled(lease),
    await leases.retryLater(lease, { code: 'X', message: 'x' }, 0),
    await leases.throttle(lease, { code: 'X', message: 'x' }, 60_000, 'r.test'),
    await leases.handBack(lease),
    await leases.holds(lease),
    (await leases.renew([lease])).held.has(lease.token),
  ]

  it('give each job to one of many claimers', async () => {
    for (let n = 0; n < 20; n++) await store.create(another())
    const claims = await Promise.all(Array.from({ length: 30 }, (_, n) => leases.claim(`w${n}`)))
    const ids = claims.flatMap((one) => one?.job.id ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    // Claimers that met on one row may come back empty-handed; whoever asks again gets the rest.
    for (let rest = await leases.claim('late'); rest; rest = await leases.claim('late')) ids.push(rest.job.id)
    expect(new Set(ids).size).toBe(20)
  })

  it('take the more urgent job first, then the one that waits longer', async () => {
    const created: string[] = []
    for (const priority of [0, 5, -1, 5])
      created.push((await store.create({ ...another(), priority })).job.id)
    const order = []
    for (const _ of created) order.push((await claim()).job.id)
    expect(order.map((id) => created.indexOf(id))).toEqual([1, 3, 0, 2])
  })

  it('let another worker take up the job of a dead one, and refuse the dead one every write', async () => {
    const { id } = (await store.create(job)).job
    const dead = await claim('dead')
    expect(await leases.claim('next')).toBeUndefined()
    await leaseRunsOut()
    expect(new Set(await writes(dead.lease))).toEqual(new Set([false]))
    const next = await claim('next')
    expect(next.job).toMatchObject({ attempt: 2, crashes: 1, failures: 0 })
    expect(new Set(await writes(dead.lease))).toEqual(new Set([false]))
    expect(await leases.succeed(next.lease, { done: true })).toBe(true)
    expect(new Set(await writes(next.lease))).toEqual(new Set([false]))
    expect(await store.get('conversion', id)).toMatchObject({ state: 'succeeded', report: { done: true } })
    expect(await store.attempts(id)).toMatchObject([
      { attempt: 1, owner: 'dead', outcome: 'crashed', error: { code: 'WORKER_DIED' } },
      { attempt: 2, owner: 'next', outcome: 'succeeded', error: undefined },
    ])
  })

  it('are no good to one that has owner and attempt, but not the token', async () => {
    await store.create(job)
    const { lease } = await claim()
    expect(new Set(await writes({ ...lease, token: 'of-another-claim' }))).toEqual(new Set([false]))
    expect(await leases.holds(lease)).toBe(true)
  })

  it('are extended by renewal, and those of others are not', async () => {
    await store.create(another())
    await store.create(another())
    const [first, second] = [await claim(), await claim()]
    const lost = { ...first.lease, token: 'lost' }
    expect([...(await leases.renew([lost, second.lease])).held]).toEqual([second.lease.token])
    expect([...(await leases.renew([])).held]).toEqual([])
  })

  it('end at once when their worker is known to be dead', async () => {
    await store.create(another())
    await store.create(another())
    await claim('host:12:a')
    await claim('host:123:b')
    await leases.expire('host:12:')
    expect((await claim('next')).job).toMatchObject({ attempt: 2, crashes: 1 })
    expect(await leases.claim('next')).toBeUndefined()
  })

  it('give up a job that killed its workers, with every attempt kept', async () => {
    const { id } = (await store.create(job)).job
    for (let n = 0; n < 3; n++) {
      await claim(`dead${n}`)
      await leaseRunsOut()
      await leases.reap()
      // It is taken up at once the first time, and later and later after that.
      if (n === 1) expect(await leases.claim('next')).toBeUndefined()
      await waitsAreOver()
    }
    expect(await leases.claim('next')).toBeUndefined()
    expect(await store.get('conversion', id)).toMatchObject({
      state: 'failed',
      crashes: 3,
      failures: 0,
      error: { code: 'WORKER_DIED' },
    })
    expect((await store.attempts(id)).map((one) => one.outcome)).toEqual(['crashed', 'crashed', 'crashed'])
  })

  it('cost a job nothing that a living worker does not renew, until it happens again and again', async () => {
    const { id } = (await store.create(job)).job
    // What a worker hands back because it stops is counted nowhere.
    await leases.handBack((await claim()).lease)
    for (let n = 1; n < MAX_LEASES_LOST; n++) {
      await claim()
      await leaseRunsOut()
    }
    expect((await claim()).job).toMatchObject({ id, failures: 0, crashes: 0 })
    await leaseRunsOut()
    expect(await leases.claim('w')).toBeUndefined()
    const error = { code: 'LEASE_LOST', message: expect.stringContaining(`${MAX_LEASES_LOST} times`) }
    expect(await store.get('conversion', id)).toMatchObject({
      state: 'failed',
      failures: 0,
      crashes: 0,
      error,
    })
    expect((await store.attempts(id)).at(-1)).toMatchObject({ outcome: 'failed', error })
  })

  it('hold none of several jobs that shared a worker responsible for its death', async () => {
    const ids = (await store.createAll([another(), another(), another()])).map((one) => one.job.id)
    for (const _ of ids) await leases.claim('dead')
    await leaseRunsOut()
    expect(await leases.reap()).toBe(3)
    for (const id of ids) {
      expect(await store.get('conversion', id)).toMatchObject({
        crashes: 0,
        isSuspect: true,
        state: 'queued',
      })
    }
    // A worker that does something else passes them over.
    expect(await leases.claim('busy', { isIdle: false })).toBeUndefined()
    const alone = await claim('next')
    expect(alone.job).toMatchObject({ id: ids[0], isSuspect: true })
    await leaseRunsOut()
    await leases.reap()
    expect(await store.get('conversion', alone.job.id)).toMatchObject({ crashes: 1 })
  })

  it('keep the rank of a job whose worker died, and of one that is tried again', async () => {
    const [first, second] = (await store.createAll([another(), another()])).map((one) => one.job.id)
    await claim('dead')
    await leaseRunsOut()
    await leases.reap()
    expect((await claim()).job.id).toBe(first)
    const { lease, job: next } = await claim()
    expect(next.id).toBe(second)
    const later = (await store.create(another())).job.id
    await leases.retryLater(lease, { code: 'NETWORK', message: 'x' }, 0)
    expect([(await claim()).job.id, (await claim()).job.id]).toEqual([second, later])
  })

  it('do not let a suspect be passed over for ever', async () => {
    const [suspect, other] = (await store.createAll([another(), another()])).map((one) => one.job.id)
    await claim('dead')
    await leaseRunsOut()
    await leases.reap()
    await database.query
      .updateTable('jobs')
      .set({ run_at: sql`run_at - 600001` })
      .where('id', '=', suspect ?? '')
      .execute()
    // Busy workers take nothing more, until one of them is idle.
    expect(await leases.claim('busy', { isIdle: false })).toBeUndefined()
    expect((await claim('idle')).job.id).toBe(suspect)
    expect((await leases.claim('busy', { isIdle: false }))?.job.id).toBe(other)
  })

  it('keep the error of every attempt', async () => {
    const { id } = (await store.create(job)).job
    for (const message of ['one', 'two']) {
      await leases.retryLater((await claim()).lease, { code: 'NETWORK', message }, 0)
    }
    await leases.handBack((await claim()).lease)
    await leases.fail((await claim()).lease, { code: 'NOT_FOUND', message: 'three' })
    const attempts = await store.attempts(id)
    expect(attempts.map(({ outcome, error }) => [outcome, error?.message])).toEqual([
      ['failed', 'one'],
      ['failed', 'two'],
      ['handed-back', undefined],
      ['failed', 'three'],
    ])
    expect(await store.get('conversion', id)).toMatchObject({ state: 'failed', failures: 2, crashes: 0 })
  })

  it('wait as long as a failure says', async () => {
    await store.create(job)
    await leases.retryLater((await claim()).lease, { code: 'NETWORK', message: 'x' }, 60_000)
    expect(await leases.claim('w')).toBeUndefined()
  })

  it('spare a registry that asked for fewer requests, at no cost to attempts', async () => {
    const at = (sourceHost: string) => ({ ...another(), sourceHost, targetHost: 't.test' })
    const { id } = (await store.create(at('busy.test'))).job
    await store.create(at('busy.test'))
    const other = (await store.create(at('fine.test'))).job
    const error = { code: 'RATE_LIMITED', message: 'x' }
    await leases.throttle((await claim()).lease, error, 60_000, 'busy.test')
    expect((await claim()).job.id).toBe(other.id)
    expect(await leases.claim('w')).toBeUndefined()
    expect(await store.get('conversion', id)).toMatchObject({ failures: 0, throttles: 1, state: 'queued' })
  })

  it('begin no job while another one with its target runs', async () => {
    const first = (await store.create(job)).job
    const second = (await store.create({ ...job, variant: 'pushed again' })).job
    const other = (await store.create(another())).job
    const { job: begun, lease } = await claim()
    expect(begun.id).toBe(first.id)
    expect((await claim()).job.id).toBe(other.id)
    expect(await leases.claim('w')).toBeUndefined()
    await leases.succeed(lease, {})
    expect((await claim()).job.id).toBe(second.id)
  })

  it('begin one of many with one target, however many claim at the same time', async () => {
    for (const variant of ['a', 'b', 'c', 'd']) await store.create({ ...job, variant })
    for (let round = 0; round < 30; round++) {
      const claims = await Promise.all(Array.from({ length: 8 }, (_, n) => leases.claim(`w${n}`)))
      const [begun, ...more] = claims.flatMap((one) => one ?? [])
      expect(more).toEqual([])
      if (!begun) throw new Error('there was no job')
      // What a dead worker left is in the way until it is taken up.
      if (round === 15) await leases.expire('w')
      else expect(await leases.handBack(begun.lease)).toBe(true)
    }
  })

  it('hold no more jobs with a registry than it may have', async () => {
    const limited = new JobLeases(database, { limits: (host) => (host === 'small.test' ? 2 : undefined) })
    const ends = [
      { sourceHost: 'small.test', targetHost: 'a.test' },
      { sourceHost: 'a.test', targetHost: 'small.test' },
      { sourceHost: 'small.test', targetHost: 'small.test' },
      { sourceHost: 'a.test', targetHost: 'b.test' },
    ]
    const ids: string[] = []
    for (const end of ends) ids.push((await store.create({ ...another(), ...end })).job.id)
    const claims = await Promise.all(Array.from({ length: 6 }, () => limited.claim('w')))
    const taken = claims.flatMap((one) => one ?? [])
    for (let rest = await limited.claim('w'); rest; rest = await limited.claim('w')) taken.push(rest)
    expect(taken).toHaveLength(3)
    const small = taken.find(({ job: one }) => one.id !== ids[3])
    if (!small) throw new Error('no job')
    await limited.succeed(small.lease, {})
    expect(await limited.claim('w')).toBeDefined()
  })
})
