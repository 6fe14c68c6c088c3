import type { Selectable } from 'kysely'
import type { Database } from '../../db/database.ts'
import { newId, timeOfId } from '../../db/new-id.ts'
import type { BatchesTable } from '../../db/tables.ts'
import type { Job, JobState } from '../job.ts'
import { SUMMARY_COLUMNS, toCounts, toJob, UNFINISHED } from '../rows.ts'
import type { NewJob } from './accept-job.ts'
import type { JobStore } from './job-store.ts'

export type Batch = {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly counts: Readonly<Record<JobState, number>>
}

/** Stores batches: jobs that are accepted together and share a status. */
export class BatchStore {
  readonly #db: Database
  readonly #jobs: JobStore

  constructor(database: Database, jobs: JobStore) {
    this.#db = database
    this.#jobs = jobs
  }

  /**
   * Accepts all jobs or none. Joins unfinished jobs that do the same work.
   * @param options.requestKey the idempotency key of the request. If a batch with this key exists, it is
   * returned
   * @throws QueueFullError QUEUE_FULL
   */
  async create(
    jobs: readonly NewJob[],
    { labels, requestKey }: { labels: Readonly<Record<string, string>>; requestKey: string | undefined },
  ): Promise<Batch> {
    const existing = requestKey === undefined ? undefined : await this.#findByRequestKey(requestKey)
    if (existing) return this.#withCounts(existing)
    const id = newId()
    await this.#jobs.createAll(jobs, async (transaction, accepted) => {
      await transaction
        .insertInto('batches')
        .values({
          id,
          labels: JSON.stringify(labels),
          request_key: requestKey ?? null,
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
    const row = await this.#db.query.selectFrom('batches').selectAll().where('id', '=', id).executeTakeFirst()
    return row && this.#withCounts(row)
  }

  /**
   * Returns one page of the jobs of a batch, in the order of the request.
   * @param page.after the position after which the page starts
   */
  async jobs(
    id: string,
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

  /** Cancels the unfinished jobs of a batch. */
  async cancel(id: string): Promise<void> {
    const rows = await this.#db.query
      .selectFrom('batch_jobs')
      .innerJoin('jobs', 'jobs.id', 'batch_jobs.job_id')
      .select(['jobs.id', 'jobs.kind'])
      .distinct()
      .where('batch_id', '=', id)
      .where('jobs.state', 'in', UNFINISHED)
      .execute()
    for (const { kind, id: jobId } of rows) await this.#jobs.cancel(kind, jobId)
  }

  #findByRequestKey(requestKey: string) {
    return this.#db.query
      .selectFrom('batches')
      .selectAll()
      .where('request_key', '=', requestKey)
      .executeTakeFirst()
  }

  async #withCounts({ id, labels, created_at }: Selectable<BatchesTable>): Promise<Batch> {
    const rows = await this.#db.query
      .selectFrom('batch_jobs')
      .innerJoin('jobs', 'jobs.id', 'batch_jobs.job_id')
      .select((select) => ['jobs.state', select.fn.countAll<number>().as('count')])
      .where('batch_id', '=', id)
      .groupBy('jobs.state')
      .execute()
    return {
      id,
      labels: JSON.parse(labels) as Record<string, string>,
      createdAt: created_at,
      counts: toCounts(rows),
    }
  }
}
