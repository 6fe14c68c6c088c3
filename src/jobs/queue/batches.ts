import type { Selectable } from 'kysely'
import { momentOf, newId } from '../../db/new-id.ts'
import type { Database } from '../../db/open.ts'
import type { BatchesTable } from '../../db/tables.ts'
import type { Job, JobState } from '../job.ts'
import { SUMMARY, toCounts, toJob, UNFINISHED } from '../rows.ts'
import type { NewJob } from './accept.ts'
import type { JobStore } from './store.ts'

export type Batch = {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly counts: Readonly<Record<JobState, number>>
}

/** Many jobs that are accepted together, and have one status. */
export class Batches {
  readonly #db: Database
  readonly #jobs: JobStore

  constructor(database: Database, jobs: JobStore) {
    this.#db = database
    this.#jobs = jobs
  }

  /**
   * Accepts all of these jobs, or none. Those that are under way already are joined.
   * @param requestKey of the request: the same key makes no second batch
   * @throws QueueFullError
   */
  async create(
    jobs: readonly NewJob[],
    { labels, requestKey }: { labels: Readonly<Record<string, string>>; requestKey: string | undefined },
  ): Promise<Batch> {
    const made = requestKey === undefined ? undefined : await this.#madeBy(requestKey)
    if (made) return this.#withCounts(made)
    const id = newId()
    await this.#jobs.createAll(jobs, async (transaction, accepted) => {
      await transaction
        .insertInto('batches')
        .values({
          id,
          labels: JSON.stringify(labels),
          request_key: requestKey ?? null,
          created_at: momentOf(id),
        })
        .execute()
      const rows = accepted.map(({ job }, position) => ({ batch_id: id, position, job_id: job.id }))
      await transaction.insertInto('batch_jobs').values(rows).execute()
    })
    const batch = await this.get(id)
    if (!batch) throw new RangeError('a batch was made')
    return batch
  }

  async get(id: string): Promise<Batch | undefined> {
    const row = await this.#db.query.selectFrom('batches').selectAll().where('id', '=', id).executeTakeFirst()
    return row && this.#withCounts(row)
  }

  /** One page of the jobs of a batch, in the order in which they were asked for. `after` is a position. */
  async jobs(
    id: string,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<{ items: Job[]; next?: number }> {
    const rows = await this.#db.query
      .selectFrom('batch_jobs')
      .innerJoin('jobs', 'jobs.id', 'batch_jobs.job_id')
      .select(SUMMARY.map((column) => `jobs.${column}` as const))
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

  /** Cancels what of a batch is not over. */
  async cancel(id: string): Promise<void> {
    const rows = await this.#db.query
      .selectFrom('batch_jobs')
      .innerJoin('jobs', 'jobs.id', 'batch_jobs.job_id')
      .select(['jobs.id', 'jobs.kind'])
      .distinct()
      .where('batch_id', '=', id)
      .where('jobs.state', 'in', UNFINISHED)
      .execute()
    for (const job of rows) await this.#jobs.cancel(job.kind, job.id)
  }

  #madeBy(requestKey: string) {
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
