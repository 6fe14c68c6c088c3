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
    const tables = ['project_series_times', 'project_series', 'job_series_times', 'job_series'] as const
    for (const table of tables) {
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
  const interval = ['resolution', 'kind', 'start']
  const time = [...interval, 'measure', 'bucket']
  await database.transaction(async (transaction) => {
    const merge = async (table: string, key: readonly string[], counts: readonly string[]) => {
      const [keys, names] = [key.join(', '), counts.join(', ')]
      const sums = counts.map((name) => `sum(${name})`).join(', ')
      const added = counts.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(', ')
      await sql`with moved as (delete from ${sql.table(table)}
          where resolution = ${resolution} and start = ${start} and shard > 0 returning *)
        insert into ${sql.table(table)} (${sql.raw(keys)}, shard, ${sql.raw(names)})
        select ${sql.raw(keys)}, 0, ${sql.raw(sums)} from moved group by ${sql.raw(keys)} order by ${sql.raw(keys)}
        on conflict (${sql.raw(keys)}, shard) do update set ${sql.raw(added)}`.execute(transaction)
    }
    await merge('job_series', interval, COUNT_COLUMNS)
    await merge('job_series_times', time, ['jobs'])
    await merge('project_series', [...interval, 'project'], COUNT_COLUMNS)
    await merge('project_series_times', [...time, 'project'], ['jobs'])
  })
}
