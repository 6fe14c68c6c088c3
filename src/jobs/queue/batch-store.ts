import { type Selectable, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { minIdAt, newId, timeOfId } from '../../db/new-id.ts'
import { type ProjectScope, projectKey, type Scoped } from '../../db/project-scope.ts'
import type { BatchesTable, Tables } from '../../db/tables.ts'
import { withoutIndex } from '../../db/without-index.ts'
import type { Job, JobState } from '../job.ts'
import { RUNNING, SUMMARY_COLUMNS, toJob, UNFINISHED } from '../rows.ts'
import type { NewJob } from './accept-job.ts'
import { cancelJobs } from './cancel-jobs.ts'
import type { JobStore } from './job-store.ts'

/** `running`: some jobs are unfinished. `succeeded`: all succeeded. `failed`: the others. */
export const BATCH_STATES = ['running', 'succeeded', 'failed'] as const
export type BatchState = (typeof BATCH_STATES)[number]

export type Batch = {
  readonly id: string
  readonly project: string
  readonly state: BatchState
  readonly labels: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly counts: Readonly<Record<JobState, number>>
}

/** Times are in milliseconds since 1970: at `createdFrom` or later, and before `createdBefore`. */
export type BatchFilter = {
  readonly states?: readonly BatchState[]
  readonly labels?: Readonly<Record<string, string>>
  readonly createdFrom?: number
  readonly createdBefore?: number
}

/** Stores batches: jobs of one project that are accepted together and share a status. */
export class BatchStore implements Scoped<ProjectBatches> {
  readonly #db: Database
  readonly #jobs: JobStore

  constructor(database: Database, jobs: JobStore) {
    this.#db = database
    this.#jobs = jobs
  }

  in(scope: ProjectScope): ProjectBatches {
    return new ProjectBatches(this.#db, this.#jobs, scope)
  }
}

/** The batches that one scope sees. */
export class ProjectBatches {
  readonly #db: Database
  readonly #jobs: JobStore
  readonly #scope: ProjectScope

  constructor(database: Database, jobs: JobStore, scope: ProjectScope) {
    this.#db = database
    this.#jobs = jobs
    this.#scope = scope
  }

  /**
   * Accepts all jobs or none. Joins unfinished jobs that do the same work.
   * @param options.requestKey the idempotency key of the request. If a batch with this key exists, it is
   * returned
   * @throws QueueFullError QUEUE_FULL; JobQuotaError JOB_QUOTA_EXCEEDED
   */
  async create(
    jobs: readonly NewJob[],
    { labels, requestKey }: { labels: Readonly<Record<string, string>>; requestKey: string | undefined },
  ): Promise<Batch> {
    const { project } = this.#scope
    const key = requestKey === undefined ? undefined : projectKey(project, requestKey)
    const existing = key === undefined ? undefined : await this.#findByRequestKey(key)
    if (existing) return this.#withCounts(existing)
    const id = newId()
    await this.#jobs.in(this.#scope).createAll(jobs, async (transaction, accepted) => {
      await transaction
        .insertInto('batches')
        .values({
          id,
          project,
          labels: JSON.stringify(labels),
          request_key: key ?? null,
          created_at: timeOfId(id),
        })
        .execute()
      const rows = accepted.map(({ job }, position) => ({ batch_id: id, position, job_id: job.id }))
      await transaction.insertInto('batch_jobs').values(rows).execute()
    })
    const batch = await this.get(id)
    if (!batch) throw new RangeError(`batch ${id} was not stored`)
    return batch
  }

  async get(id: string): Promise<Batch | undefined> {
    const row = await this.#db.query
      .selectFrom('batches')
      .selectAll()
      .where('id', '=', id)
      .where(this.#scope.condition())
      .executeTakeFirst()
    return row && this.#withCounts(row)
  }

  /**
   * Returns one page of batches, newest first.
   * @param page.after the id of the last batch of the previous page
   */
  async list(
    filter: BatchFilter,
    { after, limit }: { readonly after: string | undefined; readonly limit: number },
  ): Promise<{ items: Batch[]; next?: string }> {
    const rows = await this.#selectPage(filter, after)
      .limit(limit + 1)
      .execute()
    const batches = rows.slice(0, limit)
    const running = await this.#countRunning(batches)
    const last = batches.at(-1)
    return {
      items: batches.map((row) => toBatch(row, running.get(row.id) ?? 0)),
      ...(rows.length > limit && last && { next: last.id }),
    }
  }

  #selectPage(
    { states = [], labels = {}, createdFrom, createdBefore }: BatchFilter,
    after: string | undefined,
  ) {
    const [label, ...furtherLabels] = Object.entries(labels)
    const rows = label ? this.#selectLabelled(label) : this.#db.query.selectFrom('batches')
    const id = label ? sql.ref<string>('batch_labels.batch_id') : sql.ref<string>('batches.id')
    let query = rows.selectAll('batches')
    const { seesAll, project } = this.#scope
    if (!seesAll) {
      // A label selects fewer batches than a project does.
      const column = sql.ref('batches.project')
      query = query.where(sql<SqlBool>`${label ? withoutIndex(this.#db, column) : column} = ${project}`)
    }
    const [state] = states
    if (state && states.length === 1 && !label && seesAll) query = query.where('batches.state', '=', state)
    else if (state) {
      // The index does not yield the order of several states.
      const column = withoutIndex(this.#db, sql.ref('batches.state'))
      query = query.where(sql<SqlBool>`${column} in (${sql.join(states.map((one) => sql.lit(one)))})`)
    }
    for (const [name, value] of furtherLabels) {
      query = query.where((batches) =>
        batches.exists(
          batches
            .selectFrom('batch_labels as further')
            .select('further.batch_id')
            .whereRef('further.batch_id', '=', 'batches.id')
            .where('further.name', '=', name)
            .where('further.value', '=', value),
        ),
      )
    }
    if (createdFrom !== undefined) query = query.where(id, '>=', minIdAt(createdFrom))
    if (createdBefore !== undefined) query = query.where(id, '<', minIdAt(createdBefore))
    if (after !== undefined) query = query.where(id, '<', after)
    return query.orderBy(id, 'desc')
  }

  /** The batches with a label, from the label's rows, which are in the order of the list. */
  #selectLabelled([name, value]: [string, string]): SelectQueryBuilder<Tables, 'batches', object> {
    // SQLite keeps the order of tables in a cross join.
    return this.#db.query
      .selectFrom('batch_labels')
      .crossJoin('batches')
      .whereRef('batches.id', '=', 'batch_labels.batch_id')
      .where('batch_labels.name', '=', name)
      .where('batch_labels.value', '=', value) as unknown as SelectQueryBuilder<Tables, 'batches', object>
  }

  /**
   * Returns one page of the jobs of a batch, in the order of the request. All of them are of its project.
   * @param page.after the position after which the page starts
   */
  async jobs(
    { id }: Batch,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<{ items: Job[]; next?: number }> {
    const rows = await this.#db.query
      .selectFrom('batch_jobs')
      .innerJoin('jobs', 'jobs.id', 'batch_jobs.job_id')
      .select(SUMMARY_COLUMNS.map((column) => `jobs.${column}` as const))
      .select('batch_jobs.position')
      .where('batch_id', '=', id)
      .where('position', '>', after)
      .orderBy('position')
      .limit(limit + 1)
      .execute()
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    return {
      items: items.map(toJob),
      ...(rows.length > limit && last && { next: last.position }),
    }
  }

  /** Cancels the unfinished jobs of a batch, whose number is bounded. */
  async cancel({ id }: Batch): Promise<void> {
    const rows = await this.#db.query
      .selectFrom('batch_jobs')
      .innerJoin('jobs', 'jobs.id', 'batch_jobs.job_id')
      .select(['jobs.id', 'jobs.kind'])
      .distinct()
      .where('batch_id', '=', id)
      .where('jobs.state', 'in', UNFINISHED)
      .execute()
    const kinds = new Set(rows.map(({ kind }) => kind))
    for (const kind of kinds) {
      const ids = rows.filter((row) => row.kind === kind).map((row) => row.id)
      await cancelJobs(this.#db, this.#scope, kind, ids)
    }
  }

  #findByRequestKey(key: string) {
    return this.#db.query.selectFrom('batches').selectAll().where('request_key', '=', key).executeTakeFirst()
  }

  async #withCounts(row: Selectable<BatchesTable>): Promise<Batch> {
    return toBatch(row, (await this.#countRunning([row])).get(row.id) ?? 0)
  }

  /**
   * Counts the running jobs of batches. It reads all running jobs, whose number the workers bound, and not all
   * jobs of the batches.
   */
  async #countRunning(batches: readonly Selectable<BatchesTable>[]): Promise<Map<string, number>> {
    const ids = batches.filter(({ state }) => state === 'running').map(({ id }) => id)
    if (ids.length === 0) return new Map()
    const rows = await this.#db.query
      .selectFrom('jobs')
      // SQLite keeps the order of tables in a cross join.
      .crossJoin('batch_jobs')
      .select((select) => ['batch_id', select.cast<number>(select.fn.countAll(), 'bigint').as('count')])
      .whereRef('batch_jobs.job_id', '=', 'jobs.id')
      .where('jobs.state', '=', RUNNING)
      // The index of leases contains running jobs only.
      .where('jobs.lease_until', '>', sql.lit(0))
      .where('batch_id', 'in', ids)
      .groupBy('batch_id')
      .execute()
    return new Map(rows.map(({ batch_id, count }) => [batch_id, count]))
  }
}

function toBatch(row: Selectable<BatchesTable>, running: number): Batch {
  const { id, project, state, labels, created_at, jobs, succeeded, failed, cancelled } = row
  const unfinished = jobs - succeeded - failed - cancelled
  const counts = { queued: Math.max(0, unfinished - running), running, succeeded, failed, cancelled }
  return {
    id,
    project,
    state,
    labels: JSON.parse(labels) as Record<string, string>,
    createdAt: created_at,
    counts,
  }
}
