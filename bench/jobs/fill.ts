import { sql } from 'kysely'
import type { Database } from '../../src/db/database.ts'
import { addTallies, type Tally } from '../../src/jobs/series/tally.ts'

/** One in so many conversions is verified, and one in so many of these finds a difference. */
const PER_VERIFICATION = 10
const PER_DIFFERENCE = 100
/** Conversions of one batch. */
const BATCH_SIZE = 100
/** Rows of one statement. */
const CHUNK = 50_000
const HOURS = 24 * 30
const DAYS = 730

/** The id of the n-th stored job: they are created 10 ms apart, from `startMs` on. */
export function idAt(startMs: number, n: number): string {
  const hex = (startMs + n * 10).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${String(n).padStart(12, '0')}`
}

/**
 * Stores finished conversions as the broker does: a tenth failed, and they have a thousand sources, a hundred
 * targets, fifty repositories, batches of a hundred, and labels that are common and rare.
 */
export async function fill(database: Database, stored: number, startMs: number): Promise<void> {
  const { query, engine } = database
  const postgres = engine === 'postgres'
  const numbers = (from: number, to: number) =>
    postgres
      ? sql`select n from generate_series(${sql.lit(from)}::integer, ${sql.lit(to)}) as numbers(n)`
      : sql`with recursive numbers(n) as (select ${sql.lit(from)} union all select n + 1 from numbers where n < ${sql.lit(to)}) select n from numbers`
  const time = sql`(${sql.lit(startMs)} + n * 10)`
  const hex = postgres ? sql`lpad(to_hex(${time}::bigint), 12, '0')` : sql`printf('%012x', ${time})`
  const serial = postgres ? sql`lpad(n::text, 12, '0')` : sql`printf('%012d', n)`
  const id = sql`substr(${hex}, 1, 8) || '-' || substr(${hex}, 9) || '-7000-8000-' || ${serial}`
  const request = JSON.stringify({ source: 'r.test/team/app:1', target: 'r.test/team/app:1-esgz' })
  const report = JSON.stringify({ padding: 'x'.repeat(1500) })
  // The triggers that count jobs are too slow for a million rows in one transaction.
  if (postgres) await sql`alter table jobs disable trigger user`.execute(query)
  await inChunks(stored, async (from, to) => {
    const chunk = numbers(from, to)
    await sql`insert into jobs
      (id, kind, state, source, target, request, report, attempt, event_seq, run_at, created_at, started_at, finished_at, labels)
      select ${id}, 'conversion', case when n % 10 = 0 then 'failed' else 'succeeded' end,
        'r.test/team/app' || (n % 50) || ':' || (n % 1000), 'r.test/team/app' || (n % 50) || ':' || (n % 100) || '-esgz',
        ${request}, ${report}, 1, 3, ${time}, ${time}, ${time} + 200, ${time} + 9000, '{}'
      from (${chunk}) as source`.execute(query)
    await sql`insert into job_labels (job_id, name, value)
      select ${id}, 'team', case when n % 10 < 5 then 'x' else 'y' end from (${chunk}) as source`.execute(
      query,
    )
    await sql`insert into job_labels (job_id, name, value)
      select ${id}, 'pipeline', substr(${serial}, 1, 9) from (${chunk}) as source`.execute(query)
  })
  await inChunks(Math.floor(stored / PER_VERIFICATION), (from, to) =>
    sql`insert into jobs
      (id, kind, state, source, target, request, report, attempt, event_seq, run_at, created_at, started_at, finished_at, verified)
      select ${id} || 'v', 'verification', 'succeeded', 'r.test/team/app' || (n % 50) || ':' || (n % 100) || '-esgz', '',
        ${request}, ${report}, 1, 3, ${time}, ${time}, ${time} + 100, ${time} + 4000,
        case when n % ${sql.lit(PER_DIFFERENCE)} = 0 then 0 else 1 end
      from (${numbers(from, to)}) as source`.execute(query),
  )
  const batch = sql`'0190ba7c-0000-7000-8000-' || ${serial}`
  await sql`insert into batches (id, labels, created_at, jobs, succeeded, failed, state)
    select ${batch}, '{"release":"1"}', n, ${sql.lit(BATCH_SIZE)}, ${sql.lit(BATCH_SIZE)} - (n % 10), n % 10,
      case when n % 10 = 0 then 'succeeded' else 'failed' end
    from (${numbers(1, Math.floor(stored / BATCH_SIZE))}) as source`.execute(query)
  if (postgres) {
    await sql`insert into job_tallies (project, kind, state, shard, jobs)
      select project, kind, state, 0, count(*) from jobs group by project, kind, state`.execute(query)
    await sql`alter table jobs enable trigger user`.execute(query)
  }
  await fillSeries(database)
  await sql.raw('analyze').execute(query)
}

/** Runs statements on ranges of rows, so that each ends before the timeout of statements. */
async function inChunks(count: number, run: (from: number, to: number) => Promise<unknown>): Promise<void> {
  for (let from = 1; from <= count; from += CHUNK) await run(from, Math.min(count, from + CHUNK - 1))
}

/** The id of the n-th stored batch. */
export function batchIdAt(n: number): string {
  return `0190ba7c-0000-7000-8000-${String(n).padStart(12, '0')}`
}

/** Puts the conversions of the n-th batch into it. */
export async function fillBatch({ query }: Database, startMs: number, n: number): Promise<void> {
  const rows = Array.from({ length: BATCH_SIZE }, (_, position) => ({
    batch_id: batchIdAt(n),
    position,
    job_id: idAt(startMs, n * BATCH_SIZE + position + 1),
  }))
  await query.insertInto('batch_jobs').values(rows).execute()
  // The trigger has counted jobs that the batch was stored with.
  await query.updateTable('batches').set({ jobs: BATCH_SIZE }).where('id', '=', batchIdAt(n)).execute()
}

/** Tallies as they are after two years: each hour and day has jobs that waited and ran for various times. */
async function fillSeries(database: Database): Promise<void> {
  const now = Date.now()
  const tallies = (at: number): Tally[] =>
    Array.from({ length: 60 }, (_, n) => ({
      project: 'default',
      kind: 'conversion',
      at,
      state: n % 10 === 0 ? 'failed' : 'succeeded',
      attempts: 1,
      waitMs: 20 * 1.15 ** n,
      runMs: 2_000 * 1.08 ** n,
      bytes: { bytesIn: 80_000_000, bytesOut: 81_000_000, bytesReused: 0 },
    }))
  const times = [
    ...Array.from({ length: HOURS }, (_, n) => now - n * 3_600_000),
    ...Array.from({ length: DAYS }, (_, n) => now - n * 86_400_000),
  ]
  for (let at = 0; at < times.length; at += 50) {
    await database.transaction(async (transaction) => {
      for (const time of times.slice(at, at + 50)) await addTallies(database, transaction, tallies(time))
    })
  }
}
