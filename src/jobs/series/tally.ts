import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import { DEFAULT_PROJECT } from '../../db/project-scope.ts'
import type { Tables } from '../../db/tables.ts'
import type { JobKind, JobState } from '../job.ts'
import { bucketOf } from './duration-buckets.ts'
import { RESOLUTIONS, type Resolution, startOf } from './interval.ts'
import type { TransferredBytes } from './transferred-bytes.ts'

/** Rows per interval and kind. Concurrent PostgreSQL transactions that end jobs update different rows. */
const SHARDS = 16

/** What is counted when an attempt ends or a job reaches a final state. Times are in milliseconds since 1970. */
export type Tally = {
  readonly project: string
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
type Interval = {
  /** Undefined for all projects together. */
  readonly project: string | undefined
  readonly resolution: Resolution
  readonly kind: JobKind
  readonly start: number
}
type CountRow = Interval & Counts
type TimeRow = Interval & { readonly measure: 'wait' | 'run'; readonly bucket: number; jobs: number }

/**
 * Adds to the tallies of hours and days: to those of all projects and, except for the default one, to those of the
 * project. Has to be the last statements of a transaction on PostgreSQL: the rows stay locked until the commit. They
 * are written in one order, so that transactions do not block each other mutually.
 */
export async function addTallies(
  database: Pick<Database, 'engine'>,
  transaction: Transaction<Tables>,
  tallies: readonly Tally[],
): Promise<void> {
  const counts = new Map<string, CountRow>()
  const times = new Map<string, TimeRow>()
  for (const tally of tallies) {
    for (const project of tally.project === DEFAULT_PROJECT ? [undefined] : [undefined, tally.project]) {
      for (const resolution of RESOLUTIONS) {
        const { kind, at } = tally
        const interval = { project, resolution, kind, start: startOf(resolution, at) }
        addCounts(counts, interval, tally)
        addTime(times, interval, 'wait', tally.waitMs)
        addTime(times, interval, 'run', tally.runMs)
      }
    }
  }
  const [allCounts, projectCounts] = splitByProject(counts)
  const [allTimes, projectTimes] = splitByProject(times)
  const shard = database.engine === 'postgres' ? sql`pg_backend_pid() % ${sql.lit(SHARDS)}` : sql.lit(0)
  await addRows(transaction, { table: 'job_series', columns: COUNT_COLUMNS, shard }, allCounts)
  await addRows(transaction, { table: 'job_series_times', columns: ['jobs'], shard }, allTimes)
  await addRows(transaction, { table: 'project_series', columns: COUNT_COLUMNS, shard }, projectCounts)
  await addRows(transaction, { table: 'project_series_times', columns: ['jobs'], shard }, projectTimes)
}

/** Adds the columns of rows to those of the stored rows with the same other values. */
async function addRows(
  transaction: Transaction<Tables>,
  {
    table,
    columns,
    shard,
  }: {
    readonly table: 'job_series' | 'job_series_times' | 'project_series' | 'project_series_times'
    readonly columns: readonly string[]
    readonly shard: RawBuilder<unknown>
  },
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const [first] = rows
  if (!first) return
  const names = Object.keys(first)
  const values = rows.map((row) => sql`(${sql.join([...names.map((name) => row[name]), shard])})`)
  const key = [...names.filter((name) => !columns.includes(name)), 'shard']
  const sums = columns.map(
    (name) => sql`${sql.ref(name)} = ${sql.ref(`${table}.${name}`)} + ${sql.ref(`excluded.${name}`)}`,
  )
  const list = (all: readonly string[]) => sql.join(all.map((name) => sql.ref(name)))
  await sql`insert into ${sql.table(table)} (${list([...names, 'shard'])}) values ${sql.join(values)}
    on conflict (${list(key)}) do update set ${sql.join(sums)}`.execute(transaction)
}

/**
 * Returns the rows of all projects together, without their project, and those of single projects. Both are in the order
 * of their keys.
 */
function splitByProject<Row extends CountRow | TimeRow>(
  rows: ReadonlyMap<string, Row>,
): [Omit<Row, 'project'>[], Row[]] {
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  const ofAll = sorted.flatMap(({ project, ...row }) => (project === undefined ? [row] : []))
  return [ofAll, sorted.filter(({ project }) => project !== undefined)]
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

function keyOf({ project = '', resolution, kind, start }: Interval): string {
  return `${project} ${resolution} ${kind} ${String(start).padStart(16, '0')}`
}
