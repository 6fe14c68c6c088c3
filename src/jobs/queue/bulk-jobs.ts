import type { Database } from '../../db/database.ts'
import type { Job, JobKind } from '../job.ts'
import type { JobFilter } from '../lists/job-filter.ts'
import { type JobPageRequest, type JobPosition, listJobIds } from '../lists/list-jobs.ts'
import { cancelJobs } from './cancel-jobs.ts'
import { withAllNames } from './image-names.ts'
import type { JobStore } from './job-store.ts'

/** `ids` are the jobs that changed, or that would change. Further jobs may match: see `next`. */
export type BulkResult = {
  readonly ids: readonly string[]
  /** Jobs that were not retried: an equivalent job, `other`, is unfinished. */
  readonly conflicts: readonly { readonly id: string; readonly other: Job }[]
  readonly next?: JobPosition
}
type BulkRequest = { readonly page: JobPageRequest; readonly isDryRun: boolean }

/** Cancels and retries the jobs that a filter selects, a bounded number at a time. */
export class BulkJobs {
  readonly #db: Database
  readonly #jobs: JobStore

  constructor(database: Database, jobs: JobStore) {
    this.#db = database
    this.#jobs = jobs
  }

  /** Cancels the unfinished jobs of one page of a listing. @throws the signal's reason */
  async cancel(
    kind: JobKind,
    filter: JobFilter,
    { page, isDryRun }: BulkRequest,
    signal: AbortSignal,
  ): Promise<BulkResult> {
    const { states = ['queued', 'running'] } = filter
    const { ids, ...rest } = await listJobIds(
      this.#db,
      kind,
      withAllNames({ ...filter, states, isCancelRequested: false }, this.#jobs.names),
      page,
    )
    if (isDryRun) return { ids, conflicts: [], ...rest }
    const changed = await cancelJobs(this.#db, kind, ids, signal)
    return { ids: changed, conflicts: [], ...rest }
  }

  /**
   * Retries the failed and cancelled jobs of one page of a listing, as many as the queue has places for.
   * @throws QueueFullError QUEUE_FULL if it has none
   */
  async retry(kind: JobKind, filter: JobFilter, { page, isDryRun }: BulkRequest): Promise<BulkResult> {
    const { states = ['failed', 'cancelled'] } = filter
    const limit = isDryRun ? page.limit : Math.max(1, Math.min(page.limit, await this.#jobs.freePlaces()))
    const { ids, ...rest } = await listJobIds(
      this.#db,
      kind,
      withAllNames({ ...filter, states }, this.#jobs.names),
      { ...page, limit },
    )
    if (isDryRun) return { ids, conflicts: [], ...rest }
    const results = await this.#jobs.retryAll(kind, ids)
    const changed: string[] = []
    const conflicts: { id: string; other: Job }[] = []
    for (const [i, id] of ids.entries()) {
      const { outcome, job } = results[i] ?? {}
      if (outcome === 'queued') changed.push(id)
      else if (outcome === 'conflict' && job) conflicts.push({ id, other: job })
    }
    return { ids: changed, conflicts, ...rest }
  }
}
