import { type Expression, expressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { minIdAt } from '../../db/new-id.ts'
import type { ProjectScope } from '../../db/project-scope.ts'
import type { Tables } from '../../db/tables.ts'
import { withoutIndex } from '../../db/without-index.ts'
import { isFinished, JOB_STATES, type JobKind, type JobState } from '../job.ts'
import { repositoryOf } from './repository-expression.ts'

/** A name of an image or a repository, or all names of one. */
type AnyName = string | readonly string[]

/** Times are in milliseconds since 1970: at `…From` or later, and before `…Before`. */
export type JobFilter = {
  readonly states?: readonly JobState[]
  readonly source?: AnyName
  readonly target?: AnyName
  readonly comparedWith?: AnyName
  /** The registry and repository of the source or of the target. */
  readonly repository?: AnyName
  readonly batchId?: string
  readonly isVerified?: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly createdFrom?: number
  readonly createdBefore?: number
  readonly finishedFrom?: number
  readonly finishedBefore?: number
  readonly isCancelRequested?: false
}

/** What selects the jobs, so that the index of one condition yields them in their order. */
export type Access =
  | 'project'
  | 'batch'
  | 'end'
  | 'state'
  | 'source'
  | 'target'
  | 'comparison'
  | 'repository'
  | 'verdict'
  | 'label'
  | 'creation'

/**
 * How many jobs a project has: reading all jobs of a small one takes less time than an index in which most jobs are
 * foreign. `sole`: when they were counted, no other project had jobs.
 */
export type ProjectSize = 'tiny' | 'small' | 'large' | 'sole'

/** What selects many jobs of other projects, too. Images and repositories are hardly shared. */
const OFTEN_FOREIGN: ReadonlySet<Access> = new Set(['end', 'verdict', 'label'])

/**
 * Chooses the condition that selects the fewest jobs, as far as that is known.
 * @param size how many jobs the project of the scope has
 */
export function chooseAccess(filter: JobFilter, scope: ProjectScope, size: ProjectSize): Access {
  const own = accessOf(filter)
  if (size === 'sole') return own
  const isFewest = size === 'tiny' ? own !== 'batch' : size === 'small' && OFTEN_FOREIGN.has(own)
  const access = isFewest ? 'project' : own
  // The index of a project has its states, too.
  return !scope.seesAll && (access === 'state' || access === 'creation') ? 'project' : access
}

function accessOf(filter: JobFilter): Access {
  if (filter.batchId !== undefined) return 'batch'
  if (isOrderedByEnd(filter)) return 'end'
  const { states = [] } = filter
  // The queue is bounded.
  if (states.length > 0 && !states.some(isFinished)) return 'state'
  if (filter.target !== undefined) return 'target'
  if (filter.comparedWith !== undefined) return 'comparison'
  if (filter.source !== undefined) return 'source'
  if (filter.repository !== undefined) return 'repository'
  if (filter.isVerified !== undefined) return 'verdict'
  if (Object.keys(filter.labels ?? {}).length > 0) return 'label'
  return states.length > 0 ? 'state' : 'creation'
}

/** Jobs that are filtered by the time of their end are listed in the order of their ends. */
export function isOrderedByEnd({ finishedFrom, finishedBefore }: JobFilter): boolean {
  return finishedFrom !== undefined || finishedBefore !== undefined
}

type Jobs = ReturnType<typeof expressionBuilder<Tables, 'jobs'>>

/**
 * Returns the conditions of a filter on rows of `jobs` as alternatives: a job belongs to the list if it meets
 * all conditions of one of them. Each alternative can be read in the order of the list.
 */
export function jobConditions(
  database: Database,
  { scope, kind }: { readonly scope: ProjectScope; readonly kind: JobKind },
  filter: JobFilter,
  access: Access,
): Expression<SqlBool>[] {
  const jobs = expressionBuilder<Tables, 'jobs'>()
  return oneNameEach(filter, access).flatMap((named) => {
    const conditions = [
      jobs('jobs.kind', '=', kind),
      ...projectConditions(database, scope, access),
      ...columnConditions(database, jobs, named, access),
      ...labelConditions(jobs, named, access),
      ...timeConditions(jobs, named),
    ]
    return alternatives(database, jobs, named, access).map((alternative) =>
      jobs.and([...conditions, ...alternative]),
    )
  })
}

/** Splits a filter by the names that it selects by: each is a range of the index of its own. */
function oneNameEach(filter: JobFilter, access: Access): JobFilter[] {
  const field = access === 'comparison' ? 'comparedWith' : access
  if (field !== 'source' && field !== 'target' && field !== 'comparedWith') return [filter]
  return [filter[field] ?? []].flat().map((name) => ({ ...filter, [field]: name }))
}

function projectConditions(database: Database, scope: ProjectScope, access: Access): Expression<SqlBool>[] {
  if (scope.seesAll) return []
  return [sql<SqlBool>`${column(database, 'jobs.project', access === 'project')} = ${scope.project}`]
}

/** A column. Only that of the access is looked up in an index. */
function column(database: Database, name: string, isAccess: boolean) {
  return isAccess ? sql.ref(name) : withoutIndex(database, sql.ref(name))
}

function columnConditions(
  database: Database,
  jobs: Jobs,
  filter: JobFilter,
  access: Access,
): Expression<SqlBool>[] {
  const { source, target, comparedWith, isVerified, isCancelRequested } = filter
  const equals = (name: string, value: AnyName | number, isAccess: boolean) =>
    sql<SqlBool>`${column(database, name, isAccess)} ${isOneOf(value)}`
  return [
    ...(source === undefined ? [] : [equals('jobs.source', source, access === 'source')]),
    ...(target === undefined ? [] : [equals('jobs.target', target, access === 'target')]),
    ...(comparedWith === undefined
      ? []
      : [equals('jobs.compared_with', comparedWith, access === 'comparison')]),
    ...(isVerified === undefined ? [] : [equals('jobs.verified', Number(isVerified), access === 'verdict')]),
    ...(isCancelRequested === false ? [jobs('jobs.cancel_requested_at', 'is', null)] : []),
  ]
}

/** `=` lets both databases use an index in the order of its rows; `in` does not. */
function isOneOf(value: AnyName | number): RawBuilder<unknown> {
  const values = [value].flat()
  return values.length === 1 ? sql`= ${values[0]}` : sql`in (${sql.join(values)})`
}

/** A label whose own rows are the access needs no condition. */
function labelConditions(jobs: Jobs, { labels = {} }: JobFilter, access: Access): Expression<SqlBool>[] {
  return Object.entries(labels)
    .slice(access === 'label' ? 1 : 0)
    .map(([name, value]) =>
      jobs.exists(
        jobs
          .selectFrom('job_labels as further')
          .select('further.job_id')
          .whereRef('further.job_id', '=', 'jobs.id')
          .where('further.name', '=', name)
          .where('further.value', '=', value),
      ),
    )
}

function timeConditions(jobs: Jobs, filter: JobFilter): Expression<SqlBool>[] {
  const { createdFrom, createdBefore, finishedFrom, finishedBefore } = filter
  return [
    ...(createdFrom === undefined ? [] : [jobs('jobs.id', '>=', minIdAt(createdFrom))]),
    ...(createdBefore === undefined ? [] : [jobs('jobs.id', '<', minIdAt(createdBefore))]),
    ...(finishedFrom === undefined ? [] : [jobs('jobs.finished_at', '>=', finishedFrom)]),
    ...(finishedBefore === undefined ? [] : [jobs('jobs.finished_at', '<', finishedBefore)]),
  ]
}

/**
 * Whether the alternatives of a filter have to be read once for each `any_state.state`. The indexes of
 * repositories and of projects have the state before the order of the list. PostgreSQL plans one alternative for
 * all states faster than one for each, and SQLite cannot repeat one.
 */
export function isPerState(
  { engine }: Database,
  { states = [] }: Pick<JobFilter, 'states'>,
  access: Access,
): boolean {
  const isStateFirst = access === 'repository' || access === 'project'
  return engine === 'postgres' && isStateFirst && states.length === 0
}

/** States and repositories, whose alternatives are separate ranges of an index. */
function alternatives(
  database: Database,
  jobs: Jobs,
  { states = [], repository }: JobFilter,
  access: Access,
): Expression<SqlBool>[][] {
  const byRepository =
    repository === undefined ? [[]] : repositoryAlternatives(database, jobs, repository, access)
  if (isPerState(database, { states }, access)) {
    return byRepository.map((alternative) => [...alternative, sql<SqlBool>`jobs.state = any_state.state`])
  }
  if (access === 'project' || access === 'state' || access === 'repository') {
    return [...new Set(states.length > 0 ? states : JOB_STATES)].flatMap((state) =>
      byRepository.map((alternative) => [jobs('jobs.state', '=', sql.lit(state)), ...alternative]),
    )
  }
  if (states.length === 0) return byRepository
  const anyState = sql<SqlBool>`${column(database, 'jobs.state', false)} in (${sql.join(states.map((state) => sql.lit(state)))})`
  return byRepository.map((alternative) => [...alternative, anyState])
}

function repositoryAlternatives(
  database: Database,
  jobs: Jobs,
  repository: AnyName,
  access: Access,
): Expression<SqlBool>[][] {
  const source = repositoryOf(database, 'source')
  const target = repositoryOf(database, 'target')
  if (access === 'repository') {
    const names = [repository].flat()
    return [
      ...names.map((name) => [sql<SqlBool>`${source} = ${name}`]),
      ...names.map((name) => [sql<SqlBool>`${target} = ${name}`]),
    ]
  }
  const isIn = (column: RawBuilder<string>) =>
    sql<SqlBool>`${withoutIndex(database, column)} ${isOneOf(repository)}`
  return [[jobs.or([isIn(source), isIn(target)])]]
}
