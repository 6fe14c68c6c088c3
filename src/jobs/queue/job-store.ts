import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import { isUniqueViolation } from '../../db/errors.ts'
import type { Tables } from '../../db/tables.ts'
import { addCallback } from '../events/callback-store.ts'
import { recordEvent } from '../events/record-event.ts'
import { jobTopic, notifyJobChanged, QUEUE_TOPIC } from '../events/topics.ts'
import { type Attempt, isFinished, type Job, type JobKind, type JobState } from '../job.ts'
import { QUEUED, SUMMARY_COLUMNS, toAttempt, toJob, UNFINISHED } from '../rows.ts'
import { type AcceptedJob, acceptJob, type NewJob } from './accept-job.ts'
import { countJobs, type JobFilter, type JobPage, type JobPageRequest, listJobs } from './list-jobs.ts'
import { computeUniqueKey } from './unique-key.ts'

/** How long a count of queued jobs is reused, so that not every new job counts the queue. */
const COUNT_VALID_MS = 250
/** How long callers should wait before they retry when the queue is full. */
const RETRY_AFTER_MS = 5_000
/** Polling intervals while waiting for a job: with notifications from other processes, and without them. */
const NOTIFIED_POLL_MS = 2_000
const POLL_MS = 200

/** The number of queued jobs has reached its limit. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
  readonly code = 'QUEUE_FULL'
  readonly retryAfterMs = RETRY_AFTER_MS
  constructor(maxQueued: number) {
    super(`at most ${maxQueued} jobs may be queued; try again later or raise RECORD_BROKER_MAX_QUEUED`)
  }
}

/** A client's view of the jobs in the database. Workers use `JobLeases`. */
export class JobStore {
  readonly #db: Database
  readonly #maxQueued: number
  /** The cached count of queued jobs, and when it was read by the monotonic clock. */
  #queueCount = { readAt: Number.NEGATIVE_INFINITY, queued: 0 }

  /** @param options.maxQueued the maximum number of queued jobs; default: no limit */
  constructor(database: Database, { maxQueued = Number.POSITIVE_INFINITY } = {}) {
    this.#db = database
    this.#maxQueued = maxQueued
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
    const isFull = await this.#isFull(jobs.length)
    // Counted before the jobs are written, so that concurrent calls include them.
    if (!isFull) this.#queueCount.queued += jobs.length
    const accepted = await this.#db.transaction(async (transaction) => {
      const results: AcceptedJob[] = []
      for (const job of jobs) {
        const result = await acceptJob(this.#db, transaction, job, isFull)
        if (!result) throw new QueueFullError(this.#maxQueued)
        results.push(result)
        if (job.callbackUrl !== undefined)
          await addCallback(this.#db, transaction, result.job, job.callbackUrl)
      }
      await extend?.(transaction, results)
      return results
    })
    const created = accepted.filter(({ outcome }) => outcome === 'created')
    if (!isFull) this.#queueCount.queued -= jobs.length - created.length
    for (const { job } of created) notifyJobChanged(this.#db, job.id)
    if (created.length > 0) this.#db.notifier.notify(QUEUE_TOPIC)
    return accepted
  }

  /** Returns whether so many further jobs would exceed the limit. */
  async #isFull(newJobs: number): Promise<boolean> {
    if (this.#maxQueued === Number.POSITIVE_INFINITY) return false
    if (performance.now() - this.#queueCount.readAt > COUNT_VALID_MS) {
      const waiting = this.#db.query
        .selectFrom('jobs')
        .select('id')
        .where('state', '=', QUEUED)
        .limit(this.#maxQueued + 1)
      const { queued } = await this.#db.query
        .selectFrom(waiting.as('waiting'))
        .select((select) => select.fn.countAll<number>().as('queued'))
        .executeTakeFirstOrThrow()
      this.#queueCount = { readAt: performance.now(), queued: Number(queued) }
    }
    return this.#queueCount.queued + newJobs > this.#maxQueued
  }

  /**
   * Cancels a queued job at once, and requests the cancellation of a running one, which its worker stops
   * within a second or two. A finished job does not change. Returns the job afterwards, or undefined if it
   * does not exist.
   */
  async cancel(kind: JobKind, id: string): Promise<Job | undefined> {
    const { now } = this.#db
    const changed = await this.#db.transaction(async (transaction) => {
      const row = await transaction
        .updateTable('jobs')
        .set({
          state: sql`case when state = 'queued' then 'cancelled' else state end`,
          finished_at: sql`case when state = 'queued' then ${now} else finished_at end`,
          cancel_requested_at: now,
          // Later requests for the same work must not join this job.
          unique_key: null,
          event_seq: sql`event_seq + 1`,
        })
        .where('kind', '=', kind)
        .where('id', '=', id)
        .where('state', 'in', UNFINISHED)
        .where('cancel_requested_at', 'is', null)
        .returning(['state', 'event_seq'])
        .executeTakeFirst()
      if (!row) return false
      const type = row.state === 'cancelled' ? 'cancelled' : 'cancel-requested'
      await recordEvent(this.#db, transaction, { id, seq: row.event_seq, type })
      return true
    })
    if (changed) notifyJobChanged(this.#db, id)
    return this.get(kind, id)
  }

  /**
   * Requeues a job that failed or was cancelled, with its failure counts reset. `conflict`: `job` is another
   * job that does the same work and is unfinished. `unfinished`, `succeeded`: the job is unfinished or has
   * succeeded.
   */
  async retry(
    kind: JobKind,
    id: string,
  ): Promise<{ outcome: 'queued' | 'conflict' | 'unfinished' | 'succeeded' | 'missing'; job?: Job }> {
    const job = await this.get(kind, id)
    if (!job) return { outcome: 'missing' }
    if (!isFinished(job.state)) return { outcome: 'unfinished', job }
    if (job.state === 'succeeded') return { outcome: 'succeeded', job }
    const result = await this.#requeue(job).catch((error: unknown) => {
      if (isUniqueViolation(error)) return undefined
      throw error
    })
    // Another job for the same work was created concurrently. The next attempt finds it.
    if (!result) return this.retry(kind, id)
    if (result.outcome === 'queued') {
      notifyJobChanged(this.#db, id)
      this.#db.notifier.notify(QUEUE_TOPIC)
    }
    return result
  }

  #requeue(job: Job) {
    const { id } = job
    const key = computeUniqueKey(job)
    return this.#db.transaction(async (transaction) => {
      const conflicting = await transaction
        .selectFrom('jobs')
        .selectAll()
        .where('unique_key', '=', key)
        .where('state', 'in', UNFINISHED)
        .executeTakeFirst()
      if (conflicting) return { outcome: 'conflict' as const, job: toJob(conflicting) }
      const row = await transaction
        .updateTable('jobs')
        .set({
          state: 'queued',
          unique_key: key,
          failures: 0,
          crashes: 0,
          throttles: 0,
          run_at: this.#db.now,
          queued_at: this.#db.now,
          suspect: 0,
          finished_at: null,
          cancel_requested_at: null,
          event_seq: sql`event_seq + 1`,
        })
        .where('id', '=', id)
        .where('state', 'in', ['failed', 'cancelled'])
        .returningAll()
        .executeTakeFirst()
      if (!row) return { outcome: 'unfinished' as const, job }
      // The callbacks report the next end of the job, too.
      await transaction.updateTable('callbacks').set({ state: 'waiting' }).where('job_id', '=', id).execute()
      await recordEvent(this.#db, transaction, {
        id,
        seq: row.event_seq,
        type: 'queued',
        data: { retry: true },
      })
      return { outcome: 'queued' as const, job: toJob(row) }
    })
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
    return listJobs(this.#db, kind, filter, page)
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
