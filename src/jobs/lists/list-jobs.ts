import { type Expression, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { ProjectScope } from '../../db/project-scope.ts'
import type { Tables } from '../../db/tables.ts'
import { JOB_STATES, type Job, type JobKind, type JobState } from '../job.ts'
import { SUMMARY_COLUMNS, toJob } from '../rows.ts'
import { type Access, isOrderedByEnd, isPerState, type JobFilter, jobConditions } from './job-filter.ts'

/** What selects the jobs of a list. */
export type Selection = {
  readonly scope: ProjectScope
  readonly kind: JobKind
  readonly filter: JobFilter
  readonly access: Access
}
/** The jobs of a list after a position, up to a number of them. */
export type Slice = { readonly after: JobPosition | undefined; readonly limit: number }
/** A place in a list: the id of a job, and the time of its end in lists that are ordered by it. */
export type JobPosition = { readonly id: string; readonly finishedAt?: number }

/**
 * Reads jobs without their JSON documents: the newest first, or those that ended last if the filter selects by the
 * time of the end.
 */
export async function listJobs(database: Database, selection: Selection, slice: Slice): Promise<Job[]> {
  const rows = await database.query
    .selectFrom(selectSlice(database, selection, slice).as('page'))
    .innerJoin('jobs', 'jobs.id', 'page.id')
    .select(SUMMARY_COLUMNS.map((name) => `jobs.${name}` as const))
    .$if(isOrderedByEnd(selection.filter), (ordered) => ordered.orderBy('page.finished_at', 'desc'))
    .orderBy('page.id', 'desc')
    .execute()
  return rows.map(toJob)
}

/** Reads the ids of {@link listJobs}, and when these jobs ended if the list is ordered by it. */
export async function listJobIds(
  database: Database,
  selection: Selection,
  slice: Slice,
): Promise<{ readonly id: string; readonly finishedAt: number | undefined }[]> {
  const rows = await selectSlice(database, selection, slice).execute()
  return rows.map(({ id, finished_at }) => ({ id, finishedAt: finished_at ?? undefined }))
}

type Page = SelectQueryBuilder<Tables, 'jobs', { id: string; finished_at: number | null }>

/** The ids of a slice, from one index: each alternative of the filter contributes up to a slice. */
function selectSlice(database: Database, selection: Selection, slice: Slice): Page {
  const { query } = database
  const { scope, kind, filter, access } = selection
  const byEnd = isOrderedByEnd(filter)
  const perState = isPerState(database, filter, access)
  const [first, ...others] = jobConditions(database, { scope, kind }, filter, access).map((condition) => {
    const alternative = selectAlternative(database, { filter, access, byEnd, condition }, slice)
    return perState ? repeatForStates(database, alternative) : alternative
  })
  if (!first) throw new RangeError('a filter has at least one alternative')
  if (others.length === 0 && !perState) return first
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
