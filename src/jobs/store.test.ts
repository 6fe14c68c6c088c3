import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { temporaryPostgres, temporarySqlite } from '../../test/support/databases.ts'
import { describeWith, postgresPrograms } from '../../test/support/peers.ts'
import type { Database } from '../db/open.ts'
import { JobStore, LEASE_MS, type NewJob } from './store.ts'
import { runWorker } from './worker.ts'

const job: NewJob = { kind: 'conversion', source: 'r.test/a:1', target: 'r.test/a:2', request: { a: 1 } }
const quiet = { info() {}, warn() {}, error() {} }

function suite(open: () => Promise<{ database: Database; close(): Promise<void> }>) {
  let store: JobStore
  let database: Database
  let close: () => Promise<void>

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    store = new JobStore(database)
  })
  afterAll(() => close())
  beforeEach(() => database.query.deleteFrom('jobs').execute())

  const leaseRunsOut = () =>
    database.query
      .updateTable('jobs')
      .set({ lease_until: sql`lease_until - ${sql.lit(LEASE_MS + 1)}` })
      .execute()

  it('keeps what it accepted, and lists it newest first in pages', async () => {
    const created = []
    for (const target of ['a', 'b', 'c']) created.push(await store.create({ ...job, target }))
    expect(await store.get('conversion', created[0]?.id ?? '')).toMatchObject({
      state: 'queued',
      request: { a: 1 },
      attempt: 0,
    })
    const first = await store.list('conversion', {}, { limit: 2 })
    expect(first.items.map((item) => item.target)).toEqual(['c', 'b'])
    const second = await store.list('conversion', {}, { limit: 2, ...(first.next && { after: first.next }) })
    expect(second.items.map((item) => item.target)).toEqual(['a'])
    expect(second.next).toBeUndefined()
    expect((await store.list('verification', {}, { limit: 9 })).items).toEqual([])
    expect((await store.list('conversion', { target: 'b' }, { limit: 9 })).items).toHaveLength(1)
  })

  it('gives each job to one of many claimers', async () => {
    for (let n = 0; n < 20; n++) await store.create(job)
    const claims = await Promise.all(Array.from({ length: 30 }, (_, n) => store.claim(`w${n}`)))
    const ids = claims.flatMap((claim) => claim?.job.id ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    // Claimers that met on one row may come back empty-handed; whoever asks again gets the rest.
    let rest = await store.claim('late')
    while (rest) {
      ids.push(rest.job.id)
      rest = await store.claim('late')
    }
    expect(new Set(ids).size).toBe(20)
  })

  it('lets another worker take up the job of a dead one, and refuses the dead one a write', async () => {
    await store.create(job)
    const dead = await store.claim('dead')
    expect(await store.claim('next')).toBeUndefined()
    await leaseRunsOut()
    const next = await store.claim('next')
    expect(next?.job).toMatchObject({ attempt: 2, crashes: 1 })
    if (!dead || !next) throw new Error('no claim')
    expect(await store.succeed(dead.lease, {})).toBe(false)
    expect(await store.renew(dead.lease)).toBe(false)
    expect(await store.progress(dead.lease, {})).toBe(false)
    expect(await store.succeed(next.lease, { done: true })).toBe(true)
    expect(await store.get('conversion', next.job.id)).toMatchObject({
      state: 'succeeded',
      report: { done: true },
    })
  })

  it('gives the jobs of a worker that is known to be dead to the next one at once', async () => {
    await store.create(job)
    await store.create(job)
    await store.claim('host:12:a')
    await store.claim('host:123:b')
    await store.expire('host:12:')
    expect((await store.claim('next'))?.job).toMatchObject({ attempt: 2, crashes: 1 })
    expect(await store.claim('next')).toBeUndefined()
  })

  it('knows which records unfinished jobs need', async () => {
    await store.create({ ...job, recordId: 'r1' })
    expect(await store.needsRecord('r1')).toBe(true)
    const claim = await store.claim('w')
    if (!claim) throw new Error('no claim')
    await store.succeed(claim.lease, {})
    expect(await store.needsRecord('r1')).toBe(false)
  })

  describe('a worker', () => {
    const work = async (handler: () => Promise<unknown>, until: (state: string) => boolean) => {
      const stop = new AbortController()
      const { id } = await store.create(job)
      const running = runWorker(
        {
          store,
          handlers: { conversion: handler, verification: handler },
          owner: 'w',
          concurrency: 1,
          log: quiet,
        },
        stop.signal,
      )
      await vi.waitUntil(async () => until((await store.get('conversion', id))?.state ?? ''), {
        timeout: 20_000,
        interval: 20,
      })
      stop.abort()
      await running
      return store.get('conversion', id)
    }

    it('finishes a job with its report', async () => {
      expect(
        await work(
          async () => ({ fine: 1 }),
          (state) => state === 'succeeded',
        ),
      ).toMatchObject({
        report: { fine: 1 },
      })
    })

    it('tries again what may pass, and keeps the reason of what may not', async () => {
      let tries = 0
      const passing = async () => {
        if (tries++ === 0) throw Object.assign(new Error('busy'), { code: 'UNAVAILABLE', retryable: true })
        return {}
      }
      expect(await work(passing, (state) => state === 'succeeded')).toMatchObject({ failures: 1, attempt: 2 })
      const lasting = async () => {
        throw Object.assign(new Error('no such image'), { code: 'NOT_FOUND' })
      }
      expect(await work(lasting, (state) => state === 'failed')).toMatchObject({
        error: { code: 'NOT_FOUND', message: 'no such image' },
        attempt: 1,
      })
    })

    it('hands a job back when it has to stop, at no cost to the job', async () => {
      const stop = new AbortController()
      const { id } = await store.create(job)
      await runWorker(
        {
          store,
          handlers: {
            conversion: async (_, { signal }) => {
              stop.abort()
              signal.throwIfAborted()
            },
            verification: async () => {},
          },
          owner: 'w',
          concurrency: 1,
          log: quiet,
        },
        stop.signal,
      )
      expect(await store.get('conversion', id)).toMatchObject({ state: 'queued', failures: 0, crashes: 0 })
    })

    it('gives up a job that killed its workers', async () => {
      const { id } = await store.create(job)
      for (let n = 0; n < 3; n++) {
        await store.claim('dead')
        await leaseRunsOut()
      }
      const stop = new AbortController()
      let ran = false
      const handler = async () => {
        ran = true
      }
      const running = runWorker(
        {
          store,
          handlers: { conversion: handler, verification: handler },
          owner: 'w',
          concurrency: 1,
          log: quiet,
        },
        stop.signal,
      )
      await vi.waitUntil(async () => (await store.get('conversion', id))?.state === 'failed', {
        interval: 20,
      })
      stop.abort()
      await running
      expect(ran).toBe(false)
      expect((await store.get('conversion', id))?.error?.code).toBe('WORKER_DIED')
    })
  })
}

describe('jobs in SQLite', () => suite(temporarySqlite))

describeWith(['postgres'], 'jobs in PostgreSQL', () =>
  suite(() => temporaryPostgres(postgresPrograms() ?? '')),
)
