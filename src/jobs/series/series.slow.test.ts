import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases } from '../../../test/support/databases.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { JobLeases } from '../claims/job-leases.ts'
import { JobStore } from '../queue/job-store.ts'
import type { ProjectJobs } from '../queue/project-jobs.ts'
import { startOf } from './interval.ts'
import { backfillSeries } from './series-backfill.ts'
import { SeriesStore } from './series-store.ts'
import { tidySeries } from './series-upkeep.ts'
import { addTallies } from './tally.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const RETENTION = { hour: 30, day: 730 }
const SERIES_TABLES = [
  'jobs',
  'job_series',
  'job_series_times',
  'project_series',
  'project_series_times',
  'job_series_backfill',
] as const
const ERROR = { code: 'X', message: 'x' }

describeDatabases('series', (open) => {
  let database: Database
  let store: ProjectJobs
  let leases: JobLeases
  let close: () => Promise<void>
  const { signal } = new AbortController()

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = opened.close
    store = new JobStore(database).in(ProjectScope.ALL)
    leases = new JobLeases(database)
  })
  afterAll(() => close())
  beforeEach(async () => {
    for (const table of SERIES_TABLES) {
      await database.query.deleteFrom(table).execute()
    }
  })

  /** Adds up a series of the last hours. */
  const total = async (resolution: 'hour' | 'day' = 'hour', intervals = 4) => {
    const lengthMs = resolution === 'hour' ? HOUR_MS : DAY_MS
    const end = startOf(resolution, Date.now()) + lengthMs
    const range = { resolution, start: end - intervals * lengthMs, end }
    const points = await new SeriesStore(database).in(ProjectScope.ALL).read('conversion', range)
    expect(points).toHaveLength(intervals)
    const sum: Record<string, number> = {}
    for (const { counts } of points) {
      for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count
    }
    return { sum, points }
  }
  const create = async (target: string) =>
    (await store.create({ kind: 'conversion', source: 'r.test/a:1', target, request: {} })).job.id
  const claim = async () => {
    const claimed = await leases.claim('w')
    if (!claimed) throw new Error('no job was claimed')
    return claimed.lease
  }

  it('count each end of an attempt and of a job once, also concurrently', async () => {
    for (let n = 0; n < 40; n++) await create(`r.test/a:${n}`)
    const report = { size: 9, images: [{ layers: [{ action: 'streamed', source: { size: 5 }, size: 9 }] }] }
    await Promise.all(
      Array.from({ length: 8 }, async (_, lane) => {
        for (let n = 0; n < 4; n++) {
          const lease = await claim()
          if (lane === 0) await leases.fail(lease, ERROR)
          else if (lane === 1) await leases.retryLater(lease, ERROR, 60_000)
          else if (lane === 2) await leases.release(lease)
          else expect(await leases.succeed(lease, report)).toBe(true)
          expect(await leases.succeed(lease, report)).toBe(false)
        }
      }),
    )
    const { sum, points } = await total()
    expect(sum).toMatchObject({ failed: 4, succeeded: 20, cancelled: 0, attempts: 32, retries: 4 })
    expect(sum).toMatchObject({ bytes_in: 100, bytes_out: 180, bytes_reused: 0 })
    expect((await total('day')).sum).toEqual(sum)
    const [last] = points.filter(({ run }) => run !== undefined)
    expect(last?.run?.p99).toBeLessThan(60_000)
    expect(last?.wait).toBeDefined()
  })

  it('count a job that is retried by request again, with the times since then', async () => {
    const id = await create('r.test/a:1')
    await leases.fail(await claim(), ERROR)
    const hourAgo = sql<number>`${database.now} - ${sql.lit(HOUR_MS)}`
    await database.query
      .updateTable('jobs')
      .set({ queued_at: hourAgo, started_at: hourAgo })
      .where('id', '=', id)
      .execute()
    await store.retry('conversion', id)
    expect((await store.get('conversion', id))?.startedAt).toBeUndefined()
    await leases.succeed(await claim(), {})
    await store.cancel('conversion', await create('r.test/a:2'))
    const { sum, points } = await total()
    expect(sum).toMatchObject({ failed: 1, succeeded: 1, cancelled: 1, attempts: 2, retries: 0 })
    for (const { run, wait } of points) {
      expect(run?.p99 ?? 0).toBeLessThan(HOUR_MS / 2)
      expect(wait?.p99 ?? 0).toBeLessThan(HOUR_MS / 2)
    }
  })

  it('include jobs that ended before there were series, each once, whoever adds them', async () => {
    const now = Date.now()
    for (let n = 0; n < 2_500; n++) {
      const id = `019ab000-0000-7000-8000-${String(n).padStart(12, '0')}`
      const state = n % 5 === 0 ? 'failed' : n % 5 === 1 ? 'queued' : 'succeeded'
      const finishedAt = state === 'queued' ? null : now - 60_000
      await database.query
        .insertInto('jobs')
        .values({
          id,
          kind: 'conversion',
          state,
          source: 's',
          target: `t${n}`,
          request: '{}',
          run_at: 1,
          created_at: now - 90_000,
          started_at: finishedAt === null ? null : now - 80_000,
          finished_at: finishedAt,
        })
        .execute()
    }
    // One of them ended after the series were introduced, and counts by itself.
    await database.query
      .updateTable('jobs')
      .set({ finished_at: now + 60_000 })
      .where('target', '=', 't3')
      .execute()
    const backfill = { kind: 'conversion', ended_before: now, added_from: null } as const
    await database.query.insertInto('job_series_backfill').values(backfill).execute()
    expect(await new SeriesStore(database).in(ProjectScope.ALL).isBackfilling('conversion')).toBe(true)
    const old = { hour: 36_500, day: 36_500 }
    // The first is stopped in between.
    const stopped = new AbortController()
    const first = backfillSeries(database, old, stopped.signal)
    stopped.abort()
    await Promise.all([first, backfillSeries(database, old, signal), backfillSeries(database, old, signal)])
    await backfillSeries(database, old, signal)
    expect(await new SeriesStore(database).in(ProjectScope.ALL).isBackfilling('conversion')).toBe(false)
    const { sum, points } = await total()
    expect(sum).toMatchObject({ succeeded: 1_499, failed: 500, cancelled: 0 })
    const run = points.find((point) => point.run !== undefined)?.run
    expect(Math.abs((run?.p50 ?? 0) - 20_000)).toBeLessThan(20_000 * 0.19)
  })

  it('are deleted after their retention, and keep their sums when shards are merged', async () => {
    const now = Date.now()
    const at = [now, now - 2 * HOUR_MS, now - 40 * DAY_MS, now - 800 * DAY_MS]
    // Several connections of PostgreSQL write to several shards.
    await Promise.all(
      Array.from({ length: 12 }, () =>
        database.transaction((transaction) =>
          addTallies(
            database,
            transaction,
            at.map((time) => ({
              project: 'default',
              kind: 'conversion',
              at: time,
              state: 'succeeded',
              runMs: 50,
            })),
          ),
        ),
      ),
    )
    const before = (await total()).points
    await tidySeries(database, RETENTION, signal)
    expect((await total()).points).toEqual(before)
    const rows = await database.query
      .selectFrom('job_series')
      .select(['resolution', 'start', 'shard'])
      .orderBy('start')
      .execute()
    const pastHours = rows.filter(({ resolution, start }) => resolution === 'hour' && start < now - HOUR_MS)
    expect(pastHours).toEqual([{ resolution: 'hour', start: startOf('hour', now - 2 * HOUR_MS), shard: 0 }])
    expect(rows.some(({ start }) => start === startOf('day', now - 40 * DAY_MS))).toBe(true)
    expect(rows.some(({ start }) => start < now - 730 * DAY_MS - DAY_MS)).toBe(false)
    const times = await database.query.selectFrom('job_series_times').select('start').execute()
    expect(times.some(({ start }) => start < now - 730 * DAY_MS - DAY_MS)).toBe(false)
  })

  it('do not change with a transaction that is rolled back', async () => {
    const change = database.transaction(async (transaction) => {
      await addTallies(database, transaction, [
        { project: 'default', kind: 'conversion', at: Date.now(), state: 'failed' },
      ])
      throw new Error('no')
    })
    await expect(change).rejects.toThrow('no')
    expect((await total()).sum).toMatchObject({ failed: 0 })
  })
})
