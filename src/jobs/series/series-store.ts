import { type RawBuilder, sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Database } from '../../db/database.ts'
import { DEFAULT_PROJECT, type ProjectScope, type Scoped } from '../../db/project-scope.ts'
import type { JobKind } from '../job.ts'
import { type DurationCounts, percentilesOf } from './duration-buckets.ts'
import { RESOLUTION_MS, type Resolution } from './interval.ts'
import { COUNT_COLUMNS, type Counts, NO_COUNTS } from './tally.ts'

/** Durations in milliseconds that a half, nine tenths and 99 of a hundred jobs did not exceed. */
export type Percentiles = { readonly p50: number; readonly p90: number; readonly p99: number }

/** What the jobs of a kind did in one interval. `start` is in milliseconds since 1970. */
export type SeriesPoint = {
  readonly start: number
  readonly counts: Readonly<Counts>
  /** Undefined if no job that started, or that succeeded, ended in the interval. */
  readonly wait: Percentiles | undefined
  readonly run: Percentiles | undefined
}

/** `start` and `end` are starts of intervals, in milliseconds since 1970; `end` is exclusive. */
export type SeriesRange = { readonly resolution: Resolution; readonly start: number; readonly end: number }

/** How long a series is reused: dashboards read the same ones all the time. */
const REUSE_MS = 1_000
/** Series of up to a thousand points that are reused. */
const MAX_REUSED = 32

type RecentSeries = LRUCache<string, Promise<readonly SeriesPoint[]>>

/** What jobs did per hour and per day. */
export class SeriesStore implements Scoped<ProjectSeries> {
  readonly #db: Database
  readonly #recent: RecentSeries = new LRUCache({ max: MAX_REUSED, ttl: REUSE_MS })

  constructor(database: Database) {
    this.#db = database
  }

  in(scope: ProjectScope): ProjectSeries {
    return new ProjectSeries(this.#db, this.#recent, scope)
  }
}

/** Reads what the jobs that one scope sees did. */
export class ProjectSeries {
  readonly #db: Database
  readonly #recent: RecentSeries
  readonly #scope: ProjectScope

  constructor(database: Database, recent: RecentSeries, scope: ProjectScope) {
    this.#db = database
    this.#recent = recent
    this.#scope = scope
  }

  /** Returns one point for each interval of a range, oldest first. They may be a second old. */
  read(kind: JobKind, range: SeriesRange): Promise<readonly SeriesPoint[]> {
    const { seesAll, project } = this.#scope
    // No project can be named `*`.
    const key = `${seesAll ? '*' : project} ${kind} ${range.resolution} ${range.start} ${range.end}`
    const recent = this.#recent.get(key)
    if (recent) return recent
    const points = this.#read(kind, range)
    this.#recent.set(key, points)
    points.catch(() => this.#recent.delete(key))
    return points
  }

  async #read(kind: JobKind, range: SeriesRange): Promise<SeriesPoint[]> {
    const [counts, times] = await Promise.all([this.#readCounts(kind, range), this.#readTimes(kind, range)])
    const points: SeriesPoint[] = []
    for (let start = range.start; start < range.end; start += RESOLUTION_MS[range.resolution]) {
      points.push({
        start,
        counts: counts.get(start) ?? NO_COUNTS,
        wait: percentiles(times.wait.get(start)),
        run: percentiles(times.run.get(start)),
      })
    }
    return points
  }

  /** Whether jobs of a kind that ended before there were series are still being added. */
  async isBackfilling(kind: JobKind): Promise<boolean> {
    // There were no other projects then.
    if (!this.#scope.includes(DEFAULT_PROJECT)) return false
    const row = await this.#db.query
      .selectFrom('job_series_backfill')
      .select('kind')
      .where('kind', '=', kind)
      .executeTakeFirst()
    return row !== undefined
  }

  async #readCounts(kind: JobKind, range: SeriesRange): Promise<Map<number, Counts>> {
    const sums = COUNT_COLUMNS.map((name) => sql`cast(sum(${sql.ref(name)}) as bigint) as ${sql.ref(name)}`)
    const tallies = this.#tallies('series', { keys: ['start'], counts: COUNT_COLUMNS }, kind, range)
    const { rows } = await sql<{ start: number } & Counts>`select start, ${sql.join(sums)}
      from (${tallies}) as tallies group by start`.execute(this.#db.query)
    return new Map(rows.map(({ start: at, ...counts }) => [at, counts]))
  }

  /** Reads one row for each interval and measure, because the number of buckets is much larger. */
  async #readTimes(kind: JobKind, range: SeriesRange) {
    const { engine, query } = this.#db
    const aggregate = engine === 'postgres' ? sql`string_agg` : sql`group_concat`
    const columns = { keys: ['start', 'measure', 'bucket'], counts: ['jobs'] }
    const tallies = this.#tallies('series_times', columns, kind, range)
    const { rows } = await sql<{ start: number; measure: 'wait' | 'run'; buckets: string }>`
      select start, measure, ${aggregate}(bucket || ':' || jobs, ',') as buckets
      from (${tallies}) as tallies group by start, measure`.execute(query)
    const times = { wait: new Map<number, DurationCounts>(), run: new Map<number, DurationCounts>() }
    for (const row of rows) times[row.measure].set(row.start, parseBuckets(row.buckets))
    return times
  }

  /**
   * Selects columns of the tallies in a range. Those of the default project are those of all projects less those of
   * each other one.
   */
  #tallies(
    table: 'series' | 'series_times',
    { keys, counts }: { readonly keys: readonly string[]; readonly counts: readonly string[] },
    kind: JobKind,
    { resolution, start, end }: SeriesRange,
  ): RawBuilder<unknown> {
    const { seesAll, project } = this.#scope
    const select = (prefix: 'job' | 'project', isSubtracted: boolean, condition: RawBuilder<unknown>) => {
      const counted = counts.map((name) =>
        isSubtracted ? sql`-${sql.ref(name)} as ${sql.ref(name)}` : sql.ref(name),
      )
      const values = [...keys.map((name) => sql.ref(name)), ...counted]
      return sql`select ${sql.join(values)} from ${sql.table(`${prefix}_${table}`)}
        where resolution = ${resolution} and kind = ${kind} and start >= ${start} and start < ${end} and ${condition}`
    }
    if (seesAll) return select('job', false, sql`true`)
    if (project !== DEFAULT_PROJECT) return select('project', false, sql`project = ${project}`)
    return sql`${select('job', false, sql`true`)} union all ${select('project', true, sql`true`)}`
  }
}

/** Parses `bucket:jobs` texts. A bucket may occur once per shard. */
function parseBuckets(text: string): DurationCounts {
  const counts = new Map<number, number>()
  for (const part of text.split(',')) {
    const separator = part.indexOf(':')
    const bucket = Number(part.slice(0, separator))
    counts.set(bucket, (counts.get(bucket) ?? 0) + Number(part.slice(separator + 1)))
  }
  return counts
}

function percentiles(counts: DurationCounts | undefined): Percentiles | undefined {
  if (!counts || counts.values().every((jobs) => jobs === 0)) return undefined
  const [p50 = 0, p90 = 0, p99 = 0] = percentilesOf(counts, [0.5, 0.9, 0.99])
  return { p50, p90, p99 }
}
