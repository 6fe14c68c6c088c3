import { type SqlBool, sql } from 'kysely'
import { inMs, msAgo } from '../../db/moments.ts'
import type { Database } from '../../db/open.ts'
import { QUEUE_TOPIC } from '../events/events.ts'
import { type JobError, type Lease, MAX_CRASHES, MAX_LEASES_LOST, waitAfterCrash } from '../job.ts'
import { RUNNING, resultOf } from '../rows.ts'
import { type Ending, endAttempt, type UpdateRunning, type Values } from './attempt-end.ts'
import { type Claim, claimJob } from './claim.ts'
import { pauseHost, type RegistryLimits } from './registry-limits.ts'

/** How long a claim holds without renewal, by the database's clock. */
export const LEASE_MS = 30_000
/** How often whoever finds jobs looks for those of dead workers, too; who finds none looks in any case. */
const REAP_EVERY_MS = 1_000

/** What a renewal said: the leases that still hold, and of which jobs the cancellation was asked for. */
export type Renewal = { readonly held: ReadonlySet<string>; readonly cancelled: ReadonlySet<string> }

/**
 * The jobs in the database, as workers see them. A claim has owner, attempt, a token of its own, and an end by the
 * database's clock; every write is conditional on all of them, so that a worker that lost its lease cannot write.
 */
export class JobLeases {
  readonly #db: Database
  readonly #limits: RegistryLimits | undefined
  readonly leaseMs: number
  #reapedAt = Number.NEGATIVE_INFINITY

  constructor(
    database: Database,
    { leaseMs = LEASE_MS, limits }: { leaseMs?: number; limits?: RegistryLimits | undefined } = {},
  ) {
    this.#db = database
    this.#limits = limits
    this.leaseMs = leaseMs
  }

  /**
   * Takes the most urgent job that is due, of those the one of the first rank; undefined when there is none to take.
   * @param isIdle whether the claimer does nothing else: it alone may take a job that is suspected to have killed a worker
   */
  async claim(owner: string, { isIdle = true } = {}): Promise<Claim | undefined> {
    const reaps = performance.now() - this.#reapedAt > REAP_EVERY_MS
    if (reaps) await this.reap(owner)
    const claimer = { owner, leaseMs: this.leaseMs, limits: this.#limits, isIdle }
    const claimed = await claimJob(this.#db, claimer)
    if (claimed || reaps || (await this.reap(owner)) === 0) return claimed
    return claimJob(this.#db, claimer)
  }

  /**
   * Takes up what dead workers left: their jobs go back into the queue, each to be tried alone from now on. Where several
   * shared a worker, which of them killed it is not known, and it costs none of them; one that was alone ends when it
   * killed too many. Answers how many there were.
   * @param alive a worker that lives: its own leases ran out because it could not renew them
   */
  async reap(alive?: string): Promise<number> {
    this.#reapedAt = performance.now()
    const { now } = this.#db
    const expired = await this.#db.query
      .selectFrom('jobs')
      .select(['id', 'token', 'owner', 'attempt', 'crashes', 'cancel_requested_at'])
      .select(
        sql<number>`cast(exists (
        select 1 from job_attempts as other where other.owner = jobs.owner and other.job_id <> jobs.id
          and (other.ended_at is null or other.outcome = 'crashed')
      ) as integer)`.as('shared'),
      )
      // What a worker hands back because it stops has no error.
      .select(
        sql<number>`cast((
        select count(*) from job_attempts as earlier where earlier.job_id = jobs.id
          and earlier.outcome = 'handed-back' and earlier.error is not null
      ) as integer)`.as('lost'),
      )
      .where('state', '=', RUNNING)
      .where('lease_until', '<', now)
      .execute()
    for (const { id, token, owner, attempt, crashes: before, cancel_requested_at, shared, lost } of expired) {
      const ranOut = (update: UpdateRunning) =>
        update.where('token', '=', token).where('lease_until', '<', now)
      if (owner === alive) {
        const ending = this.#notRenewed(lost + 1, cancel_requested_at !== null)
        await endAttempt(this.#db, { id, attempt }, ending, ranOut)
        continue
      }
      const crashes = before + (shared === 1 ? 0 : 1)
      const died: JobError = { code: 'WORKER_DIED', message: 'the worker died, or its lease ran out' }
      const message = `the worker died ${crashes} times while it did this; see its log for out-of-memory or disk errors`
      const crash: Ending =
        crashes >= MAX_CRASHES && cancel_requested_at === null
          ? {
              values: { ...this.#over('failed'), error: JSON.stringify({ code: 'WORKER_DIED', message }) },
              outcome: 'crashed',
              event: 'failed',
              error: died,
            }
          : {
              values: this.#queued({ run_at: inMs(this.#db, waitAfterCrash(crashes, Math.random())) }),
              outcome: 'crashed',
              event: 'crashed',
              error: died,
            }
      const values = { ...crash.values, crashes, suspect: 1 }
      await endAttempt(this.#db, { id, attempt }, { ...crash, values }, ranOut)
    }
    return expired.length
  }

  /** What follows when a worker lives and did not renew its lease: that costs the job nothing, unless there is no end to it. */
  #notRenewed(times: number, isCancelled: boolean): Ending {
    const error: JobError = { code: 'LEASE_LOST', message: 'the worker could not renew its lease in time' }
    if (times < MAX_LEASES_LOST || isCancelled) {
      return { values: this.#queued({}), outcome: 'handed-back', event: 'handed-back', error }
    }
    const last = { ...error, message: `${error.message}, ${times} times by now; see the log of the workers` }
    const values = { ...this.#over('failed'), error: JSON.stringify(last) }
    return { values, outcome: 'failed', event: 'failed', error: last }
  }

  /**
   * Extends leases, and says which of them hold.
   * @param leases of one process
   */
  async renew(leases: readonly Lease[]): Promise<Renewal> {
    const held = new Set<string>()
    const cancelled = new Set<string>()
    if (leases.length === 0) return { held, cancelled }
    const rows = await this.#db.query
      .updateTable('jobs')
      .set({ lease_until: inMs(this.#db, this.leaseMs) })
      .where(
        'token',
        'in',
        leases.map((lease) => lease.token),
      )
      .where(
        'id',
        'in',
        leases.map((lease) => lease.id),
      )
      .where('state', '=', RUNNING)
      .where('lease_until', '>', this.#db.now)
      .returning(['id', 'token', 'cancel_requested_at'])
      .execute()
    for (const { token, cancel_requested_at } of rows) {
      if (token === null) continue
      held.add(token)
      if (cancel_requested_at !== null) cancelled.add(token)
    }
    return { held, cancelled }
  }

  /** Whether a lease holds at this moment; it does not for a job that is to be cancelled. */
  async holds(lease: Lease): Promise<boolean> {
    const row = await this.#db.query
      .selectFrom('jobs')
      .select('id')
      .where('id', '=', lease.id)
      .where('token', '=', lease.token)
      .where('attempt', '=', lease.attempt)
      .where('state', '=', RUNNING)
      .where('lease_until', '>', this.#db.now)
      .where('cancel_requested_at', 'is', null)
      .executeTakeFirst()
    return row !== undefined
  }

  /** The tokens among these whose jobs are to be cancelled. */
  async cancelRequests(leases: readonly Lease[]): Promise<ReadonlySet<string>> {
    if (leases.length === 0) return new Set()
    const rows = await this.#db.query
      .selectFrom('jobs')
      .select('token')
      .where(
        'id',
        'in',
        leases.map((lease) => lease.id),
      )
      .where('cancel_requested_at', 'is not', null)
      .execute()
    return new Set(rows.flatMap(({ token }) => token ?? []))
  }

  /**
   * Ends the leases of a worker that is known to be dead, so that nobody waits for them to run out.
   * @param owners how the names of its claims begin
   */
  async expire(owners: string): Promise<void> {
    await this.#db.query
      .updateTable('jobs')
      .set({ lease_until: msAgo(this.#db, 1) })
      .where('state', '=', RUNNING)
      .where(sql<SqlBool>`substr(owner, 1, ${sql.lit(owners.length)}) = ${owners}`)
      .execute()
    this.#db.wakeups.ring(QUEUE_TOPIC)
  }

  /** Stores how far the job is; false when the lease is lost. */
  async progress(lease: Lease, progress: unknown): Promise<boolean> {
    const result = await this.#db.query
      .updateTable('jobs')
      .set({ progress: JSON.stringify(progress) })
      .where('id', '=', lease.id)
      .where('token', '=', lease.token)
      .where('attempt', '=', lease.attempt)
      .where('state', '=', RUNNING)
      .where('lease_until', '>', this.#db.now)
      .executeTakeFirst()
    if (result.numUpdatedRows === 1n) this.#db.wakeups.ring(`job:${lease.id}`)
    return result.numUpdatedRows === 1n
  }

  /** Ends the job with its report; false when the lease is lost. */
  async succeed(lease: Lease, report: unknown): Promise<boolean> {
    const result = resultOf(report)
    const values = { ...this.#over('succeeded'), ...result, report: JSON.stringify(report), error: null }
    return this.#end(lease, { values, outcome: 'succeeded', event: 'succeeded' })
  }

  /** Ends the job as failed; false when the lease is lost. */
  async fail(lease: Lease, error: JobError): Promise<boolean> {
    const values = { ...this.#over('failed'), error: JSON.stringify(error) }
    return this.#end(lease, { values, outcome: 'failed', event: 'failed', error })
  }

  /** Ends the job as somebody asked; false when the lease is lost. */
  async cancelled(lease: Lease): Promise<boolean> {
    return this.#end(lease, { values: this.#over('cancelled'), outcome: 'cancelled', event: 'cancelled' })
  }

  /** Puts the job back into the queue after a failure that may pass; false when the lease is lost. */
  async retryLater(lease: Lease, error: JobError, delayMs: number): Promise<boolean> {
    const values = this.#queued({
      error: JSON.stringify(error),
      failures: sql`failures + 1`,
      run_at: inMs(this.#db, delayMs),
    })
    return this.#end(lease, { values, outcome: 'failed', event: 'retrying', error, data: { delayMs } })
  }

  /** Puts the job back because a registry asked for fewer requests, which it is spared for as long. */
  async throttle(lease: Lease, error: JobError, delayMs: number, host: string | undefined): Promise<boolean> {
    const values = this.#queued({
      error: JSON.stringify(error),
      throttles: sql`throttles + 1`,
      run_at: inMs(this.#db, delayMs),
    })
    const data = { delayMs, ...(host !== undefined && { host }) }
    const done = await this.#end(lease, { values, outcome: 'throttled', event: 'throttled', error, data })
    if (done && host !== undefined) await pauseHost(this.#db, host, delayMs)
    return done
  }

  /** Puts the job back because a disk is full; false when the lease is lost. */
  async waitForRoom(lease: Lease, error: JobError, delayMs: number): Promise<boolean> {
    const values = this.#queued({
      error: JSON.stringify(error),
      throttles: sql`throttles + 1`,
      run_at: inMs(this.#db, delayMs),
    })
    return this.#end(lease, { values, outcome: 'failed', event: 'retrying', error, data: { delayMs } })
  }

  /** Gives an unfinished job back, at no cost to it: this worker stops. */
  async handBack(lease: Lease): Promise<boolean> {
    const done = await this.#end(lease, {
      values: this.#queued({}),
      outcome: 'handed-back',
      event: 'handed-back',
    })
    if (done) this.#db.wakeups.ring(QUEUE_TOPIC)
    return done
  }

  #over(state: 'succeeded' | 'failed' | 'cancelled'): Values {
    return { state, finished_at: this.#db.now, owner: null, token: null, lease_until: null, progress: null }
  }

  /** A job that is to be cancelled does not go back into the queue, whatever ended its attempt. */
  #queued(more: Values): Values {
    return {
      state: sql`case when cancel_requested_at is null then 'queued' else 'cancelled' end`,
      finished_at: sql`case when cancel_requested_at is null then null else ${this.#db.now} end`,
      owner: null,
      token: null,
      lease_until: null,
      progress: null,
      ...more,
    }
  }

  #end(lease: Lease, ending: Ending): Promise<boolean> {
    return endAttempt(this.#db, lease, ending, (update) =>
      update
        .where('token', '=', lease.token)
        .where('owner', '=', lease.owner)
        .where('lease_until', '>', this.#db.now),
    )
  }
}
