import type { Database } from '../../db/database.ts'
import { minIdAt } from '../../db/new-id.ts'
import type { Job, JobKind, JobState } from '../job.ts'
import { SUMMARY_COLUMNS, toCounts, toJob, UNFINISHED } from '../rows.ts'

export type JobFilter = {
  readonly states?: readonly JobState[]
  readonly source?: string
  readonly target?: string
  readonly comparedWith?: string
  readonly labels?: Readonly<Record<string, string>>
  /** The creation time in milliseconds since 1970: at `from` or later, and before `to`. */
  readonly from?: number
  readonly to?: number
}
/** `after` is the id of the last job of the previous page. Pages run from the newest job to the oldest. */
export type JobPageRequest = { readonly after?: string; readonly limit: number }
export type JobPage = { readonly items: Job[]; readonly next?: string }

/**
 * Returns one page of jobs, newest first, without their JSON documents. `next` is the cursor of the next
 * page.
 */
export async function listJobs(
  database: Database,
  kind: JobKind,
  filter: JobFilter,
  page: JobPageRequest,
): Promise<JobPage> {
  let query = database.query.selectFrom('jobs').select(SUMMARY_COLUMNS).where('kind', '=', kind)
  if (filter.states?.length) query = query.where('state', 'in', filter.states)
  if (filter.source) query = query.where('source', '=', filter.source)
  if (filter.target) query = query.where('target', '=', filter.target)
  if (filter.comparedWith) query = query.where('compared_with', '=', filter.comparedWith)
  for (const [name, value] of Object.entries(filter.labels ?? {})) {
    query = query.where((where) =>
      where.exists(
        where
          .selectFrom('job_labels')
          .select('job_id')
          .whereRef('job_labels.job_id', '=', 'jobs.id')
          .where('name', '=', name)
          .where('value', '=', value),
      ),
    )
  }
  if (filter.from !== undefined) query = query.where('id', '>=', minIdAt(filter.from))
  if (filter.to !== undefined) query = query.where('id', '<', minIdAt(filter.to))
  if (page.after) query = query.where('id', '<', page.after)
  const rows = await query
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
    .execute()
  const items = rows.slice(0, page.limit).map(toJob)
  const last = items.at(-1)
  return rows.length > page.limit && last ? { items, next: last.id } : { items }
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
