import { sql, type Transaction } from 'kysely'
import { isUniqueViolation } from '../../db/errors.ts'
import type { Database } from '../../db/open.ts'
import type { Tables } from '../../db/tables.ts'
import { addCallback } from '../events/callbacks.ts'
import { jobTopic, QUEUE_TOPIC, recordEvent, ringFor } from '../events/events.ts'
import { type Attempt, isOver, type Job, type JobKind, type JobState } from '../job.ts'
import { QUEUED, SUMMARY, toAttempt, toJob, UNFINISHED } from '../rows.ts'
import { type Accepted, acceptJob, type NewJob } from './accept.ts'
import { countJobs, type JobFilter, type JobPage, listJobs, type Page } from './listing.ts'
import { uniqueKey } from './unique-key.ts'

/** How long a count of the queue is believed, so that accepting a job does not count it each time. */
const COUNT_VALID_MS = 250
/** What a full queue asks callers to wait. */
const QUEUE_RETRY_MS = 5_000
/** How often a job is looked at by whoever waits for it: beside rings of other processes, and without them. */
const LOOK_BESIDE_RINGS_MS = 2_000
const LOOK_MS = 200

/** More jobs wait than this broker keeps. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
  readonly code = 'QUEUE_FULL'
  readonly retryAfterMs = QUEUE_RETRY_MS
  constructor(limit: number) {
    super(`${limit} jobs wait already; come back later`)
  }
}

/** The jobs in the database, as those see them who ask for work. Workers come with {@link JobLeases}. */
export class JobStore {
  readonly #db: Database
  readonly #maxQueued: number
  #counted = { at: Number.NEGATIVE_INFINITY, queued: 0 }

  /** @param options.maxQueued jobs that may wait; beyond it none is accepted */
  constructor(database: Database, { maxQueued = Number.POSITIVE_INFINITY } = {}) {
    this.#db = database
    this.#maxQueued = maxQueued
  }

  /**
   * Accepts a job: when this returns, the job is on disk. A job that would do the same and is not finished is joined.
   * @throws QueueFullError
   */
  async create(job: NewJob): Promise<Accepted> {
    const [accepted] = await this.createAll([job])
    if (!accepted) throw new RangeError('one job was to be made')
    return accepted
  }

  /**
   * Accepts all of these jobs, or none.
   * @param within does more in the same transaction
   * @throws QueueFullError
   */
  async createAll(
    jobs: readonly NewJob[],
    within?: (transaction: Transaction<Tables>, accepted: readonly Accepted[]) => Promise<void>,
  ): Promise<Accepted[]> {
    const full = await this.#isFull(jobs.length)
    // Taken before they are written: others who ask meanwhile see it.
    if (!full) this.#counted.queued += jobs.length
    const all = await this.#db.transaction(async (transaction) => {
      const accepted: Accepted[] = []
      for (const job of jobs) {
        const one = await acceptJob(this.#db, transaction, job, full)
        if (!one) throw new QueueFullError(this.#maxQueued)
        accepted.push(one)
        if (job.callbackUrl !== undefined) await addCallback(this.#db, transaction, one.job, job.callbackUrl)
      }
      await within?.(transaction, accepted)
      return accepted
    })
    const created = all.filter((one) => one.outcome === 'created')
    if (!full) this.#counted.queued -= jobs.length - created.length
    for (const { job } of created) ringFor(this.#db, job.id)
    if (created.length > 0) this.#db.wakeups.ring(QUEUE_TOPIC)
    return all
  }

  async #isFull(more: number): Promise<boolean> {
    if (this.#maxQueued === Number.POSITIVE_INFINITY) return false
    if (performance.now() - this.#counted.at > COUNT_VALID_MS) {
      const waiting = this.#db.query
        .selectFrom('jobs')
        .select('id')
        .where('state', '=', QUEUED)
        .limit(this.#maxQueued + 1)
      const { queued } = await this.#db.query
        .selectFrom(waiting.as('waiting'))
        .select((select) => select.fn.countAll<number>().as('queued'))
        .executeTakeFirstOrThrow()
      this.#counted = { at: performance.now(), queued: Number(queued) }
    }
    return this.#counted.queued + more > this.#maxQueued
  }

  /**
   * Ends a job that waits; asks the worker of one that runs to stop, which takes a second or two. What is over stays as
   * it is. Answers the job as it is then.
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
          // Whoever asks for the same from now on does not want this one.
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
    if (changed) ringFor(this.#db, id)
    return this.get(kind, id)
  }

  /**
   * Puts a job that failed or was cancelled back into the queue, with all of its tries. `conflict`: another job that does
   * the same is queued or running. `not-over`, `succeeded`: there is nothing to try again.
   */
  async retry(
    kind: JobKind,
    id: string,
  ): Promise<{ outcome: 'queued' | 'conflict' | 'not-over' | 'succeeded' | 'missing'; job?: Job }> {
    const job = await this.get(kind, id)
    if (!job) return { outcome: 'missing' }
    if (!isOver(job.state)) return { outcome: 'not-over', job }
    if (job.state === 'succeeded') return { outcome: 'succeeded', job }
    const result = await this.#requeue(job).catch((error: unknown) => {
      if (isUniqueViolation(error)) return undefined
      throw error
    })
    // Another one came in between: it is found the next time.
    if (!result) return this.retry(kind, id)
    if (result.outcome === 'queued') {
      ringFor(this.#db, id)
      this.#db.wakeups.ring(QUEUE_TOPIC)
    }
    return result
  }

  #requeue(job: Job) {
    const { id } = job
    const key = uniqueKey(job)
    return this.#db.transaction(async (transaction) => {
      const same = await transaction
        .selectFrom('jobs')
        .selectAll()
        .where('unique_key', '=', key)
        .where('state', 'in', UNFINISHED)
        .executeTakeFirst()
      if (same) return { outcome: 'conflict' as const, job: toJob(same) }
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
      if (!row) return { outcome: 'not-over' as const, job }
      // Its next end is told again.
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

  /** Waits until a job is over, or so long. Answers the job as it is then, as {@link look} does. */
  async untilOver(job: Job, ms: number, signal: AbortSignal): Promise<Job> {
    const until = performance.now() + ms
    let now = job
    for (;;) {
      const left = until - performance.now()
      if (isOver(now.state) || left <= 0 || signal.aborted) return now
      const { wakeups } = this.#db
      const look = wakeups.acrossProcesses ? LOOK_BESIDE_RINGS_MS : LOOK_MS
      await wakeups.wait(jobTopic(job.id), Math.min(left, look), signal)
      now = (await this.look(job.kind, job.id)) ?? now
    }
  }

  /** A job with how far it is, without what was asked and what came of it: both can be long. */
  async look(kind: JobKind, id: string): Promise<Job | undefined> {
    const row = await this.#db.query
      .selectFrom('jobs')
      .select([...SUMMARY, 'progress'])
      .where('kind', '=', kind)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && toJob(row)
  }

  /** A job with everything. */
  async get(kind: JobKind, id: string): Promise<Job | undefined> {
    const row = await this.#db.query
      .selectFrom('jobs')
      .selectAll()
      .where('kind', '=', kind)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && toJob(row)
  }

  /** Every attempt of a job, the first one first. */
  async attempts(id: string): Promise<Attempt[]> {
    const rows = await this.#db.query
      .selectFrom('job_attempts')
      .selectAll()
      .where('job_id', '=', id)
      .orderBy('attempt')
      .execute()
    return rows.map(toAttempt)
  }

  list(kind: JobKind, filter: JobFilter, page: Page): Promise<JobPage> {
    return listJobs(this.#db, kind, filter, page)
  }

  counts(kind: JobKind): Promise<Record<JobState, number>> {
    return countJobs(this.#db, kind)
  }

  /** Whether a job that is not finished will read this record. */
  async needsRecord(recordId: string): Promise<boolean> {
    const row = await this.#db.query
      .selectFrom('jobs')
      .select('id')
      .where('record_id', '=', recordId)
      .where('state', 'in', UNFINISHED)
      .executeTakeFirst()
    return row !== undefined
  }
}
