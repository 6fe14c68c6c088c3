import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { Tables } from '../../db/tables.ts'
import type { JobKind, JobState } from '../job.ts'
import { bucketOf } from './duration-buckets.ts'
import { RESOLUTIONS, type Resolution, startOf } from './interval.ts'
import type { TransferredBytes } from './transferred-bytes.ts'

/** Rows per interval and kind. Concurrent PostgreSQL transactions that end jobs update different rows. */
const SHARDS = 16

/** What is counted when an attempt ends or a job reaches a final state. Times are in milliseconds since 1970. */
export type Tally = {
  readonly kind: JobKind
  readonly at: number
  /** The final state; undefined if the job returned to the queue. */
  readonly state?: Exclude<JobState, 'queued' | 'running'> | undefined
  readonly attempts?: number
  /** Attempts that failed and are followed by another one. */
  readonly retries?: number
  readonly bytes?: TransferredBytes | undefined
  /** How long a job that reached a final state was queued before it first started, and how long it then took. */
  readonly waitMs?: number | undefined
  readonly runMs?: number | undefined
}

export const COUNT_COLUMNS = [
  'succeeded',
  'failed',
  'cancelled',
  'attempts',
  'retries',
  'bytes_in',
  'bytes_out',
  'bytes_reused',
] as const
export type Counts = Record<(typeof COUNT_COLUMNS)[number], number>
type Interval = { readonly resolution: Resolution; readonly kind: JobKind; readonly start: number }
type CountRow = Interval & Counts
type TimeRow = Interval & { readonly measure: 'wait' | 'run'; readonly bucket: number; jobs: number }

/**
 * Adds to the tallies of hours and days. Has to be the last statements of a transaction on PostgreSQL: the
 * rows stay locked until the commit. They are written in one order, so that transactions do not block each
 * other mutually.
 */
export async function addTallies(
  database: Pick<Database, 'engine'>,
  transaction: Transaction<Tables>,
  tallies: readonly Tally[],
): Promise<void> {
  const counts = new Map<string, CountRow>()
  const times = new Map<string, TimeRow>()
  for (const tally of tallies) {
    for (const resolution of RESOLUTIONS) {
      const interval = { resolution, kind: tally.kind, start: startOf(resolution, tally.at) }
      addCounts(counts, interval, tally)
      addTime(times, interval, 'wait', tally.waitMs)
      addTime(times, interval, 'run', tally.runMs)
    }
  }
  const shard: RawBuilder<number> =
    database.engine === 'postgres' ? sql`pg_backend_pid() % ${sql.lit(SHARDS)}` : sql.lit(0)
  if (counts.size > 0) {
    await transaction
      .insertInto('job_series')
      .values(sorted(counts).map((row) => ({ ...row, shard })))
      .onConflict((conflict) =>
        conflict
          .columns(['resolution', 'kind', 'start', 'shard'])
          .doUpdateSet(
            Object.fromEntries(
              COUNT_COLUMNS.map((name) => [
                name,
                sql`${sql.ref(`job_series.${name}`)} + ${sql.ref(`excluded.${name}`)}`,
              ]),
            ),
          ),
      )
      .execute()
  }
  if (times.size > 0) {
    await transaction
      .insertInto('job_series_times')
      .values(sorted(times).map((row) => ({ ...row, shard })))
      .onConflict((conflict) =>
        conflict
          .columns(['resolution', 'kind', 'start', 'measure', 'bucket', 'shard'])
          .doUpdateSet({ jobs: sql`job_series_times.jobs + excluded.jobs` }),
      )
      .execute()
  }
}

function addCounts(rows: Map<string, CountRow>, interval: Interval, tally: Tally): void {
  const key = keyOf(interval)
  const row = rows.get(key) ?? { ...interval, ...NO_COUNTS }
  rows.set(key, row)
  if (tally.state) row[tally.state] += 1
  row.attempts += tally.attempts ?? 0
  row.retries += tally.retries ?? 0
  row.bytes_in += tally.bytes?.bytesIn ?? 0
  row.bytes_out += tally.bytes?.bytesOut ?? 0
  row.bytes_reused += tally.bytes?.bytesReused ?? 0
}

export const NO_COUNTS: Counts = {
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  attempts: 0,
  retries: 0,
  bytes_in: 0,
  bytes_out: 0,
  bytes_reused: 0,
}

function addTime(
  rows: Map<string, TimeRow>,
  interval: Interval,
  measure: TimeRow['measure'],
  ms: number | undefined,
): void {
  if (ms === undefined) return
  const bucket = bucketOf(ms)
  const key = `${keyOf(interval)} ${measure} ${String(bucket).padStart(3, '0')}`
  const row = rows.get(key) ?? { ...interval, measure, bucket, jobs: 0 }
  rows.set(key, row)
  row.jobs += 1
}

function keyOf({ resolution, kind, start }: Interval): string {
  return `${resolution} ${kind} ${String(start).padStart(16, '0')}`
}

function sorted<Row>(rows: ReadonlyMap<string, Row>): Row[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}
