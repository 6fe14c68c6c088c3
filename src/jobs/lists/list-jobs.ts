import { type Expression, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { Tables } from '../../db/tables.ts'
import { JOB_STATES, type Job, type JobKind, type JobState } from '../job.ts'
import { SUMMARY_COLUMNS, toCounts, toJob, UNFINISHED } from '../rows.ts'
import {
  type Access,
  chooseAccess,
  isOrderedByEnd,
  isPerState,
  type JobFilter,
  jobConditions,
} from './job-filter.ts'

/** A place in a list: the id of a job, and the time of its end in lists that are ordered by it. */
export type JobPosition = { readonly id: string; readonly finishedAt?: number }
/** `after` is the last job of the previous page. */
export type JobPageRequest = { readonly after?: JobPosition; readonly limit: number }
export type JobPage = { readonly items: Job[]; readonly next?: JobPosition }

/**
 * Returns one page of jobs without their JSON documents: the newest first, or those that ended last if the
 * filter selects by the time of the end. `next` is where the next page continues.
 */
export async function listJobs(
  database: Database,
  kind: JobKind,
  filter: JobFilter,
  { limit, after }: JobPageRequest,
): Promise<JobPage> {
  const page = selectPage(database, kind, filter, { after, limit: limit + 1 })
  const rows = await database.query
    .selectFrom(page.as('page'))
    .innerJoin('jobs', 'jobs.id', 'page.id')
    .select(SUMMARY_COLUMNS.map((name) => `jobs.${name}` as const))
    .$if(isOrderedByEnd(filter), (ordered) => ordered.orderBy('page.finished_at', 'desc'))
    .orderBy('page.id', 'desc')
    .execute()
  const items = rows.slice(0, limit).map(toJob)
  const last = items.at(-1)
  return rows.length > limit && last ? { items, next: positionOf(last, filter) } : { items }
}

/** Returns the ids of one page of {@link listJobs}. */
export async function listJobIds(
  database: Database,
  kind: JobKind,
  filter: JobFilter,
  { limit, after }: JobPageRequest,
): Promise<{ ids: string[]; next?: JobPosition }> {
  const rows = await selectPage(database, kind, filter, { after, limit: limit + 1 }).execute()
  const ids = rows.slice(0, limit).map(({ id }) => id)
  const last = rows[limit - 1]
  return rows.length > limit && last
    ? { ids, next: positionOf({ id: last.id, finishedAt: last.finished_at ?? undefined }, filter) }
    : { ids }
}

function positionOf(
  { id, finishedAt }: { readonly id: string; readonly finishedAt: number | undefined },
  filter: JobFilter,
): JobPosition {
  return isOrderedByEnd(filter) && finishedAt !== undefined ? { id, finishedAt } : { id }
}

type Slice = { readonly after: JobPosition | undefined; readonly limit: number }

type Page = SelectQueryBuilder<Tables, 'jobs', { id: string; finished_at: number | null }>

/** The ids of a page, from one index: each alternative of the filter contributes up to a page. */
function selectPage(database: Database, kind: JobKind, filter: JobFilter, slice: Slice): Page {
  const { query } = database
  const access = chooseAccess(filter)
  const byEnd = isOrderedByEnd(filter)
  const perState = isPerState(database, filter, access)
  const [first, ...others] = jobConditions(database, kind, filter, access).map((condition) => {
    const alternative = selectAlternative(database, { filter, access, byEnd, condition }, slice)
    return perState ? repeatForStates(database, alternative) : alternative
  })
  if (!first) throw new RangeError('a filter has at least one alternative')
  if (others.length === 0) return first
  // A job that meets several alternatives is in the page once.
  let union = query.selectFrom(first.as('one')).selectAll()
  for (const other of others) union = union.union(query.selectFrom(other.as('other')).selectAll())
  return query
    .selectFrom(union.as('every'))
    .selectAll()
    .$if(byEnd, (ordered) => ordered.orderBy('finished_at', 'desc'))
    .orderBy('id', 'desc')
    .limit(slice.limit) as unknown as Page
}

/** Reads an alternative once for each state (PostgreSQL). */
function repeatForStates({ query }: Database, alternative: Page): Page {
  const states = sql.join(JOB_STATES.map((state) => sql`(${sql.lit(state)})`))
  return query
    .selectFrom(sql<{ state: JobState }>`(values ${states})`.as<'any_state'>(sql`any_state(state)`))
    .innerJoinLateral(alternative.as('found'), (join) => join.onTrue())
    .selectAll('found') as unknown as Page
}

function selectAlternative(
  database: Database,
  {
    filter,
    access,
    byEnd,
    condition,
  }: {
    readonly filter: JobFilter
    readonly access: Access
    readonly byEnd: boolean
    readonly condition: Expression<SqlBool>
  },
  { after, limit }: Slice,
): Page {
  // In the joins, the rows of labels and batches come first, in the order of their index.
  const id = access === 'label' ? sql.ref<string>('job_labels.job_id') : sql.ref<string>('jobs.id')
  let rows = selectRows(database, filter, access).where(condition)
  if (after && byEnd) {
    const { finishedAt = 0 } = after
    rows = rows
      .where('jobs.finished_at', '<=', finishedAt)
      .where((jobs) => jobs.or([jobs('jobs.finished_at', '<', finishedAt), jobs('jobs.id', '<', after.id)]))
  } else if (after) rows = rows.where(id, '<', after.id)
  return (
    rows
      // Only what the index has.
      .select(['jobs.id', byEnd ? 'jobs.finished_at' : sql<number | null>`null`.as('finished_at')])
      .$if(byEnd, (ordered) => ordered.orderBy('jobs.finished_at', 'desc'))
      .orderBy(id, 'desc')
      .limit(limit)
  )
}

type Rows = SelectQueryBuilder<Tables, 'jobs', object>

function selectRows({ query }: Database, { labels, batchId = '' }: JobFilter, access: Access): Rows {
  if (access === 'batch') {
    const ids = query.selectFrom('batch_jobs').select('job_id').where('batch_id', '=', batchId)
    return query.selectFrom('jobs').where('jobs.id', 'in', ids)
  }
  const [label] = Object.entries(labels ?? {})
  if (access !== 'label' || !label) return query.selectFrom('jobs')
  // SQLite keeps the order of tables in a cross join.
  return query
    .selectFrom('job_labels')
    .crossJoin('jobs')
    .whereRef('jobs.id', '=', 'job_labels.job_id')
    .where('job_labels.name', '=', label[0])
    .where('job_labels.value', '=', label[1]) as unknown as Rows
}

/**
 * Counts the jobs of a kind by state. Unfinished jobs are counted by an index; for finished ones there are
 * tallies, which each transaction that finishes a job updates.
 */
export async function countJobs({ query }: Database, kind: JobKind): Promise<Record<JobState, number>> {
  const unfinished = query
    .selectFrom('jobs')
    .select((select) => ['state', select.cast<number>(select.fn.countAll(), 'bigint').as('count')])
    .where('kind', '=', kind)
    .where('state', 'in', UNFINISHED)
    .groupBy('state')
  const finished = query
    .selectFrom('job_tallies')
    .select((select) => ['state', select.cast<number>(select.fn.sum('jobs'), 'bigint').as('count')])
    .where('kind', '=', kind)
    .groupBy('state')
  // One statement, so that a job that changes its state meanwhile is counted once.
  const rows = await unfinished.unionAll(finished).execute()
  return toCounts(rows)
}
