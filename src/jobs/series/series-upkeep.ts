import { sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { RESOLUTION_MS, RESOLUTIONS, type Resolution, startOf } from './interval.ts'
import { COUNT_COLUMNS } from './tally.ts'

/** A transaction that ended a job may still be open when the next interval has started. */
const MERGE_DELAY_MS = 600_000
/** Intervals per run. A backlog is worked off by later runs. */
const MAX_INTERVALS = 2_000

/** How many days the tallies of hours and those of days are kept. */
export type SeriesRetention = Readonly<Record<Resolution, number>>

/**
 * Deletes tallies after their retention, and merges the shards of past intervals. One interval is one
 * transaction, so that no statement takes long.
 */
export async function tidySeries(
  database: Database,
  retention: SeriesRetention,
  signal: AbortSignal,
): Promise<void> {
  for (const resolution of RESOLUTIONS) {
    const oldestKept = startOf(resolution, Date.now() - retention[resolution] * RESOLUTION_MS.day)
    for (const start of await findStarts(database, resolution, oldestKept)) {
      if (signal.aborted) return
      await deleteInterval(database, resolution, start)
    }
    if (database.engine !== 'postgres') continue
    const current = startOf(resolution, Date.now() - MERGE_DELAY_MS)
    for (const start of await findStarts(database, resolution, current, 1)) {
      if (signal.aborted) return
      await mergeShards(database, resolution, start)
    }
  }
}

/** Returns the starts of intervals before a time that have a row with at least this shard. */
async function findStarts(
  { query }: Database,
  resolution: Resolution,
  before: number,
  shard = 0,
): Promise<number[]> {
  const rows = await query
    .selectFrom('job_series')
    .select('start')
    .distinct()
    .where('resolution', '=', resolution)
    .where('start', '<', before)
    .where('shard', '>=', shard)
    .orderBy('start')
    .limit(MAX_INTERVALS)
    .execute()
  return rows.map(({ start }) => start)
}

async function deleteInterval(database: Database, resolution: Resolution, start: number): Promise<void> {
  await database.transaction(async (transaction) => {
    for (const table of ['job_series_times', 'job_series'] as const) {
      await transaction
        .deleteFrom(table)
        .where('resolution', '=', resolution)
        .where('start', '=', start)
        .execute()
    }
  })
}

/** Adds the rows of all shards to those of shard 0 (PostgreSQL: a deleting statement within an inserting one). */
async function mergeShards(database: Database, resolution: Resolution, start: number): Promise<void> {
  const counts = COUNT_COLUMNS.join(', ')
  const sums = COUNT_COLUMNS.map((name) => `sum(${name})`).join(', ')
  const added = COUNT_COLUMNS.map((name) => `${name} = job_series.${name} + excluded.${name}`).join(', ')
  const moved = (table: string) =>
    sql`with moved as (delete from ${sql.table(table)}
      where resolution = ${resolution} and start = ${start} and shard > 0 returning *)`
  await database.transaction(async (transaction) => {
    await sql`${moved('job_series')}
      insert into job_series (resolution, kind, start, shard, ${sql.raw(counts)})
      select resolution, kind, start, 0, ${sql.raw(sums)} from moved group by resolution, kind, start order by kind
      on conflict (resolution, kind, start, shard) do update set ${sql.raw(added)}`.execute(transaction)
    await sql`${moved('job_series_times')}
      insert into job_series_times (resolution, kind, start, measure, bucket, shard, jobs)
      select resolution, kind, start, measure, bucket, 0, sum(jobs) from moved
      group by resolution, kind, start, measure, bucket order by kind, measure, bucket
      on conflict (resolution, kind, start, measure, bucket, shard) do update set jobs = job_series_times.jobs + excluded.jobs`.execute(
      transaction,
    )
  })
}
