import type { Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { ProjectScope } from '../../db/project-scope.ts'
import type { Tables } from '../../db/tables.ts'
import { addCallback } from '../events/callback-store.ts'
import { jobTopic, notifyJobChanged, QUEUE_TOPIC } from '../events/topics.ts'
import { type Attempt, isFinished, type Job, type JobKind, type JobState, type StoredJob } from '../job.ts'
import type { JobFilter } from '../lists/job-filter.ts'
import type { JobPage, JobPageRequest } from '../lists/job-lists.ts'
import { SUMMARY_COLUMNS, toAttempt, toJob } from '../rows.ts'
import { type AcceptedJob, acceptJob, type NewJob } from './accept-job.ts'
import {
  type BulkRequest,
  type BulkResult,
  type BulkRetryRequest,
  cancelMatching,
  retryMatching,
} from './bulk-jobs.ts'
import { cancelJobs } from './cancel-jobs.ts'
import { withAllNames, withPreferredNames } from './image-names.ts'
import { type JobContext, readJob } from './job-context.ts'
import { type RetryResult, retryJobs } from './retry-jobs.ts'

/** Polling intervals while waiting for a job: with notifications from other processes, and without them. */
const NOTIFIED_POLL_MS = 2_000
const POLL_MS = 200

/** The jobs that one scope sees. Those of other projects do not exist for it. */
export class ProjectJobs {
  readonly #context: JobContext
  readonly #db: Database
  readonly scope: ProjectScope

  constructor(context: JobContext) {
    this.#context = context
    this.#db = context.database
    this.scope = context.scope
  }

  /**
   * Accepts a job. When this returns, the job is on disk. Joins an unfinished job that does the same work.
   * @throws QueueFullError QUEUE_FULL; JobQuotaError JOB_QUOTA_EXCEEDED
   */
  async create(job: NewJob): Promise<AcceptedJob> {
    const [accepted] = await this.createAll([job])
    if (!accepted) throw new RangeError('no job was accepted')
    return accepted
  }

  /**
   * Accepts all jobs or none.
   * @param extend adds further statements to the transaction
   * @throws QueueFullError QUEUE_FULL; JobQuotaError JOB_QUOTA_EXCEEDED
   */
  async createAll(
    jobs: readonly NewJob[],
    extend?: (transaction: Transaction<Tables>, accepted: readonly AcceptedJob[]) => Promise<void>,
  ): Promise<AcceptedJob[]> {
    const { names, limit } = this.#context
    const { project } = this.scope
    const { refusal, settle } = await limit.reserve(project, jobs.length)
    let accepted: AcceptedJob[] = []
    try {
      accepted = await this.#db.transaction(async (transaction) => {
        const results: AcceptedJob[] = []
        for (const job of jobs) {
          const named = { ...withPreferredNames(job, names), project }
          const result = await acceptJob(this.#db, transaction, named, refusal !== undefined)
          // Without a place, a job can still join another one.
          if (!result) throw refusal ?? new RangeError('no job was accepted')
          results.push(result)
          if (job.callbackUrl !== undefined)
            await addCallback(this.#db, transaction, result.job, job.callbackUrl)
        }
        await extend?.(transaction, results)
        return results
      })
    } finally {
      settle(accepted.filter(({ outcome }) => outcome === 'created').length)
    }
    const created = accepted.filter(({ outcome }) => outcome === 'created')
    for (const { job } of created) notifyJobChanged(this.#db, job.id)
    if (created.length > 0) this.#db.notifier.notify(QUEUE_TOPIC)
    return accepted
  }

  /**
   * Cancels a queued job at once, and requests the cancellation of a running one, which its worker stops
   * within a second or two. A finished job does not change. Returns the job afterwards, or undefined if it
   * does not exist.
   */
  async cancel(kind: JobKind, id: string): Promise<Job | undefined> {
    await cancelJobs(this.#db, this.scope, kind, [id])
    return this.get(kind, id)
  }

  /**
   * Requeues a job that failed or was cancelled, with its failure counts reset. `conflict`: `job` is another
   * job that does the same work and is unfinished. `unfinished`, `succeeded`: the job is unfinished or has
   * succeeded.
   * @throws QueueFullError QUEUE_FULL; JobQuotaError JOB_QUOTA_EXCEEDED
   */
  async retry(kind: JobKind, id: string): Promise<RetryResult> {
    const [result] = await retryJobs(this.#context, kind, [id])
    return result ?? { outcome: 'missing' }
  }

  /** Cancels the unfinished jobs of one page of a listing. @throws the signal's reason */
  cancelMatching(
    kind: JobKind,
    filter: JobFilter,
    request: BulkRequest,
    signal: AbortSignal,
  ): Promise<BulkResult> {
    return cancelMatching(this.#context, kind, filter, request, signal)
  }

  /**
   * Retries the failed and cancelled jobs of one page of a listing, as many as the queue has places for.
   * @throws QueueFullError QUEUE_FULL; JobQuotaError JOB_QUOTA_EXCEEDED if it has none
   */
  retryMatching(kind: JobKind, filter: JobFilter, request: BulkRetryRequest): Promise<BulkResult> {
    return retryMatching(this.#context, kind, filter, request)
  }

  /**
   * Waits until a job is finished, for at most `ms` milliseconds. Returns its status as {@link getStatus}
   * does.
   */
  async waitUntilFinished(job: Job, ms: number, signal: AbortSignal): Promise<Job> {
    const deadline = performance.now() + ms
    let current = job
    for (;;) {
      const remainingMs = deadline - performance.now()
      if (isFinished(current.state) || remainingMs <= 0 || signal.aborted) return current
      const { notifier } = this.#db
      const pollMs = notifier.isCrossProcess ? NOTIFIED_POLL_MS : POLL_MS
      await notifier.wait(jobTopic(job.id), Math.min(remainingMs, pollMs), signal)
      current = (await this.getStatus(job.kind, job.id)) ?? current
    }
  }

  /** Returns a job with its progress, without its request and report, which can be long. */
  async getStatus(kind: JobKind, id: string): Promise<Job | undefined> {
    const row = await this.#db.query
      .selectFrom('jobs')
      .select([...SUMMARY_COLUMNS, 'progress'])
      .where('kind', '=', kind)
      .where('id', '=', id)
      .where(this.scope.condition())
      .executeTakeFirst()
    return row && toJob(row)
  }

  /** Returns a job with its request, progress and report. */
  get(kind: JobKind, id: string): Promise<Job | undefined> {
    return readJob(this.#context, kind, id)
  }

  /** Lists the attempts of a job, oldest first. */
  async listAttempts({ id }: StoredJob): Promise<Attempt[]> {
    const rows = await this.#db.query
      .selectFrom('job_attempts')
      .selectAll()
      .where('job_id', '=', id)
      .orderBy('attempt')
      .execute()
    return rows.map(toAttempt)
  }

  list(kind: JobKind, filter: JobFilter, page: JobPageRequest): Promise<JobPage> {
    return this.#context.lists.list(this.scope, kind, withAllNames(filter, this.#context.names), page)
  }

  countByState(kind: JobKind): Promise<Record<JobState, number>> {
    return this.#context.lists.count(this.scope, kind)
  }
}
