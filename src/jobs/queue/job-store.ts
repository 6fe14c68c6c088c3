import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { Tables } from '../../db/tables.ts'
import { addCallback } from '../events/callback-store.ts'
import { jobTopic, notifyJobChanged, QUEUE_TOPIC } from '../events/topics.ts'
import { type Attempt, isFinished, type Job, type JobKind, type JobState } from '../job.ts'
import type { JobFilter } from '../lists/job-filter.ts'
import { countJobs, type JobPage, type JobPageRequest, listJobs } from '../lists/list-jobs.ts'
import { SUMMARY_COLUMNS, toAttempt, toJob, UNFINISHED } from '../rows.ts'
import { type AcceptedJob, acceptJob, type NewJob } from './accept-job.ts'
import { cancelJobs } from './cancel-jobs.ts'
import { type ImageNames, SINGLE_NAMES, withAllNames, withPreferredNames } from './image-names.ts'
import { QueueLimit } from './queue-limit.ts'
import { requeueFinished } from './requeue-job.ts'

/** Polling intervals while waiting for a job: with notifications from other processes, and without them. */
const NOTIFIED_POLL_MS = 2_000
const POLL_MS = 200

/** Jobs that are retried concurrently. */
const RETRIED_AT_ONCE = 16

type RetryResult = {
  readonly outcome: 'queued' | 'conflict' | 'unfinished' | 'succeeded' | 'missing'
  readonly job?: Job
}

/** A client's view of the jobs in the database. Workers use `JobLeases`. */
export class JobStore {
  readonly #db: Database
  readonly #limit: QueueLimit

  /** The names by which jobs are stored and found. */
  readonly names: ImageNames

  /**
   * @param options.maxQueued the maximum number of queued jobs; default: no limit
   * @param options.names the names of images; default: each has one
   */
  constructor(
    database: Database,
    {
      maxQueued = Number.POSITIVE_INFINITY,
      names = SINGLE_NAMES,
    }: { readonly maxQueued?: number; readonly names?: ImageNames } = {},
  ) {
    this.#db = database
    this.names = names
    this.#limit = new QueueLimit(database, maxQueued)
  }

  /**
   * Accepts a job. When this returns, the job is on disk. Joins an unfinished job that does the same work.
   * @throws QueueFullError QUEUE_FULL
   */
  async create(job: NewJob): Promise<AcceptedJob> {
    const [accepted] = await this.createAll([job])
    if (!accepted) throw new RangeError('no job was accepted')
    return accepted
  }

  /**
   * Accepts all jobs or none.
   * @param extend adds further statements to the transaction
   * @throws QueueFullError QUEUE_FULL
   */
  async createAll(
    jobs: readonly NewJob[],
    extend?: (transaction: Transaction<Tables>, accepted: readonly AcceptedJob[]) => Promise<void>,
  ): Promise<AcceptedJob[]> {
    const reservation = await this.#limit.reserve(jobs.length)
    let accepted: AcceptedJob[] = []
    try {
      accepted = await this.#db.transaction(async (transaction) => {
        const results: AcceptedJob[] = []
        for (const job of jobs) {
          const named = withPreferredNames(job, this.names)
          const result = await acceptJob(this.#db, transaction, named, reservation.isFull)
          if (!result) throw this.#limit.error
          results.push(result)
          if (job.callbackUrl !== undefined)
            await addCallback(this.#db, transaction, result.job, job.callbackUrl)
        }
        await extend?.(transaction, results)
        return results
      })
    } finally {
      reservation.settle(accepted.filter(({ outcome }) => outcome === 'created').length)
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
    await cancelJobs(this.#db, kind, [id])
    return this.get(kind, id)
  }

  /**
   * Requeues a job that failed or was cancelled, with its failure counts reset. `conflict`: `job` is another
   * job that does the same work and is unfinished. `unfinished`, `succeeded`: the job is unfinished or has
   * succeeded.
   * @throws QueueFullError QUEUE_FULL
   */
  async retry(kind: JobKind, id: string): Promise<RetryResult> {
    const [result] = await this.retryAll(kind, [id])
    return result ?? { outcome: 'missing' }
  }

  /**
   * Requeues jobs as {@link retry} does, if the queue has places for all of them. The oldest becomes the first.
   * @throws QueueFullError QUEUE_FULL
   */
  async retryAll(kind: JobKind, ids: readonly string[]): Promise<RetryResult[]> {
    const reservation = await this.#limit.reserve(ids.length)
    const results: RetryResult[] = []
    try {
      // One rank for all: among these, the older job is the first.
      const rank = ids.length > 1 ? await this.#readClock() : undefined
      for (let at = 0; at < ids.length; at += RETRIED_AT_ONCE) {
        const some = ids.slice(at, at + RETRIED_AT_ONCE)
        results.push(
          ...(await Promise.all(
            some.map((id) => this.#retry(kind, id, { isQueueFull: reservation.isFull, rank })),
          )),
        )
      }
      return results
    } finally {
      reservation.settle(results.filter(({ outcome }) => outcome === 'queued').length)
    }
  }

  async #readClock(): Promise<number> {
    const { rows } = await sql<{ now: number }>`select ${this.#db.now} as now`.execute(this.#db.query)
    return rows[0]?.now ?? Date.now()
  }

  async #retry(
    kind: JobKind,
    id: string,
    { isQueueFull, rank }: { readonly isQueueFull: boolean; readonly rank: number | undefined },
  ): Promise<RetryResult> {
    const job = await this.get(kind, id)
    if (!job) return { outcome: 'missing' }
    if (!isFinished(job.state)) return { outcome: 'unfinished', job }
    if (job.state === 'succeeded') return { outcome: 'succeeded', job }
    if (isQueueFull) throw this.#limit.error
    const { outcome, job: after } = await requeueFinished(this.#db, job, rank)
    return { outcome: outcome === 'changed' ? 'unfinished' : outcome, job: after }
  }

  /** Returns how many further jobs may be queued. */
  freePlaces(): Promise<number> {
    return this.#limit.freePlaces()
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
      .executeTakeFirst()
    return row && toJob(row)
  }

  /** Returns a job with its request, progress and report. */
  async get(kind: JobKind, id: string): Promise<Job | undefined> {
    const row = await this.#db.query
      .selectFrom('jobs')
      .selectAll()
      .where('kind', '=', kind)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && toJob(row)
  }

  /** Lists the attempts of a job, oldest first. */
  async listAttempts(id: string): Promise<Attempt[]> {
    const rows = await this.#db.query
      .selectFrom('job_attempts')
      .selectAll()
      .where('job_id', '=', id)
      .orderBy('attempt')
      .execute()
    return rows.map(toAttempt)
  }

  list(kind: JobKind, filter: JobFilter, page: JobPageRequest): Promise<JobPage> {
    return listJobs(this.#db, kind, withAllNames(filter, this.names), page)
  }

  countByState(kind: JobKind): Promise<Record<JobState, number>> {
    return countJobs(this.#db, kind)
  }

  /** Returns whether an unfinished job will read this record. */
  async isRecordNeeded(recordId: string): Promise<boolean> {
    const row = await this.#db.query
      .selectFrom('jobs')
      .select('id')
      .where('record_id', '=', recordId)
      .where('state', 'in', UNFINISHED)
      .executeTakeFirst()
    return row !== undefined
  }
}
