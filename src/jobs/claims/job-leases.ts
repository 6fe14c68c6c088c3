import { type SqlBool, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { msAgo, msFromNow } from '../../db/sql-time.ts'
import { jobTopic, QUEUE_TOPIC } from '../events/topics.ts'
import { ProjectTurns } from '../fairness/project-turns.ts'
import type { JobError, Lease } from '../job.ts'
import { RUNNING, toResultColumns } from '../rows.ts'
import { transferredBytes } from '../series/transferred-bytes.ts'
import { exchangeAttemptTrace } from './attempt-traces.ts'
import { type Claim, claimJob } from './claim-job.ts'
import { type AttemptEnd, endAttempt, finishJob, requeueJob } from './end-attempt.ts'
import { type ExpiredLeaseListener, reapExpiredLeases } from './reap-expired-leases.ts'
import { pauseHost, type RegistryLimits } from './registry-limits.ts'

/** How long a lease is valid without renewal, by the database's clock. */
export const LEASE_MS = 30_000
/**
 * Minimum interval between scans for expired leases while jobs are available. A worker that finds no job
 * scans on every poll.
 */
const REAP_INTERVAL_MS = 1_000

export type JobLeasesOptions = {
  readonly leaseMs?: number
  readonly limits?: RegistryLimits | undefined
  readonly onExpired?: ExpiredLeaseListener | undefined
}

/**
 * A worker's view of the jobs in the database. A lease consists of an owner, an attempt and a unique token,
 * and expires by the database's clock. Every write depends on all of these, so a worker that lost its lease
 * cannot write.
 */
export class JobLeases {
  readonly #db: Database
  readonly #limits: RegistryLimits | undefined
  readonly #leaseMs: number
  readonly #onExpired: JobLeasesOptions['onExpired']
  readonly #turns = new ProjectTurns()
  #reapedAt = Number.NEGATIVE_INFINITY

  constructor(database: Database, { leaseMs = LEASE_MS, limits, onExpired }: JobLeasesOptions = {}) {
    this.#db = database
    this.#limits = limits
    this.#leaseMs = leaseMs
    this.#onExpired = onExpired
  }

  /**
   * Claims a job: of the project whose turn it is, the due job with the highest priority and, among these, the
   * first rank. Returns undefined if there is none.
   * @param options.isIdle whether the worker runs no other job: only an idle worker may claim a job that is
   * suspected to have killed a worker
   */
  async claim(owner: string, { isIdle = true } = {}): Promise<Claim | undefined> {
    const isReapDue = performance.now() - this.#reapedAt > REAP_INTERVAL_MS
    if (isReapDue) await this.reapExpired(owner)
    const options = { owner, leaseMs: this.#leaseMs, limits: this.#limits, turns: this.#turns, isIdle }
    const claim = await claimJob(this.#db, options)
    if (claim || isReapDue || (await this.reapExpired(owner)) === 0) return claim
    return claimJob(this.#db, options)
  }

  /**
   * Stores the span of an attempt as a `traceparent`, see {@link exchangeAttemptTrace}.
   * @returns that of the attempt before
   */
  exchangeTrace(lease: Lease, traceparent: string): Promise<string | undefined> {
    return exchangeAttemptTrace(this.#db, lease, traceparent)
  }

  /** Requeues the jobs whose leases have expired, see {@link reapExpiredLeases}. Returns their number. */
  async reapExpired(aliveOwner?: string): Promise<number> {
    this.#reapedAt = performance.now()
    return reapExpiredLeases(this.#db, aliveOwner, this.#onExpired)
  }

  /**
   * Renews the leases of one process.
   * @returns the tokens of those that are still valid
   */
  async renew(leases: readonly Lease[]): Promise<ReadonlySet<string>> {
    if (leases.length === 0) return new Set()
    const tokens = leases.map((lease) => lease.token)
    const ids = leases.map((lease) => lease.id)
    const rows = await this.#db.query
      .updateTable('jobs')
      .set({ lease_until: msFromNow(this.#db, this.#leaseMs) })
      .where('token', 'in', tokens)
      .where('id', 'in', ids)
      .where('state', '=', RUNNING)
      .where('lease_until', '>', this.#db.now)
      .returning('token')
      .execute()
    return new Set(rows.flatMap(({ token }) => token ?? []))
  }

  /** Returns whether a lease is currently valid. That of a job whose cancellation was requested is not. */
  async isHeld(lease: Lease): Promise<boolean> {
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

  /** Returns the tokens of those leases whose jobs' cancellation was requested. */
  async findCancelRequested(leases: readonly Lease[]): Promise<ReadonlySet<string>> {
    if (leases.length === 0) return new Set()
    const ids = leases.map((lease) => lease.id)
    const rows = await this.#db.query
      .selectFrom('jobs')
      .select('token')
      .where('id', 'in', ids)
      .where('cancel_requested_at', 'is not', null)
      .execute()
    return new Set(rows.flatMap(({ token }) => token ?? []))
  }

  /**
   * Expires the leases of workers that are known to be dead, so that their jobs do not wait for the leases to
   * run out.
   * @param ownerPrefix the common start of the workers' names
   */
  async expireOwnedBy(ownerPrefix: string): Promise<void> {
    await this.#db.query
      .updateTable('jobs')
      .set({ lease_until: msAgo(this.#db, 1) })
      .where('state', '=', RUNNING)
      .where(sql<SqlBool>`substr(owner, 1, ${sql.lit(ownerPrefix.length)}) = ${ownerPrefix}`)
      .execute()
    this.#db.notifier.notify(QUEUE_TOPIC)
  }

  /**
   * Stores the progress of a job. Returns false if the lease is lost.
   * @param summary the part that listings and the stream of all events show
   */
  async saveProgress(lease: Lease, progress: unknown, summary?: unknown): Promise<boolean> {
    const result = await this.#db.query
      .updateTable('jobs')
      .set({
        progress: JSON.stringify(progress),
        progress_summary: summary === undefined ? null : JSON.stringify(summary),
      })
      .where('id', '=', lease.id)
      .where('token', '=', lease.token)
      .where('attempt', '=', lease.attempt)
      .where('state', '=', RUNNING)
      .where('lease_until', '>', this.#db.now)
      .executeTakeFirst()
    if (result.numUpdatedRows === 1n) this.#db.notifier.notify(jobTopic(lease.id))
    return result.numUpdatedRows === 1n
  }

  /** Finishes a job with its report. Returns false if the lease is lost. */
  async succeed(lease: Lease, report: unknown): Promise<boolean> {
    const result = toResultColumns(report)
    const update = {
      ...finishJob(this.#db, 'succeeded'),
      ...result,
      report: JSON.stringify(report),
      error: null,
    }
    const data = {
      ...(result.result_digest !== null && { digest: result.result_digest }),
      ...(result.verified !== null && { verified: result.verified === 1 }),
    }
    const bytes = transferredBytes(report)
    return this.#end(lease, { update, outcome: 'succeeded', event: 'succeeded', data, bytes })
  }

  /** Finishes a job as failed. Returns false if the lease is lost. */
  async fail(lease: Lease, error: JobError): Promise<boolean> {
    const update = { ...finishJob(this.#db, 'failed'), error: JSON.stringify(error) }
    return this.#end(lease, { update, outcome: 'failed', event: 'failed', error })
  }

  /** Finishes a job whose cancellation was requested. Returns false if the lease is lost. */
  async endCancelled(lease: Lease): Promise<boolean> {
    const update = finishJob(this.#db, 'cancelled')
    return this.#end(lease, { update, outcome: 'cancelled', event: 'cancelled' })
  }

  /** Requeues a job after a retryable failure. Returns false if the lease is lost. */
  async retryLater(lease: Lease, error: JobError, delayMs: number): Promise<boolean> {
    const update = requeueJob(this.#db, {
      error: JSON.stringify(error),
      failures: sql`failures + 1`,
      run_at: msFromNow(this.#db, delayMs),
    })
    return this.#end(lease, { update, outcome: 'failed', event: 'retrying', error, data: { delayMs } })
  }

  /**
   * Requeues a job because a registry limited the request rate. Returns false if the lease is lost.
   * @param host the registry, if it is known: no job that uses it starts for `delayMs`
   */
  async throttle(lease: Lease, error: JobError, delayMs: number, host: string | undefined): Promise<boolean> {
    const update = requeueJob(this.#db, {
      error: JSON.stringify(error),
      throttles: sql`throttles + 1`,
      run_at: msFromNow(this.#db, delayMs),
    })
    const data = { delayMs, ...(host !== undefined && { host }) }
    const isEnded = await this.#end(lease, {
      update,
      outcome: 'throttled',
      event: 'throttled',
      error,
      data,
    })
    if (isEnded && host !== undefined) await pauseHost(this.#db, host, delayMs)
    return isEnded
  }

  /** Requeues a job because a disk is full. Returns false if the lease is lost. */
  async waitForFreeSpace(lease: Lease, error: JobError, delayMs: number): Promise<boolean> {
    const update = requeueJob(this.#db, {
      error: JSON.stringify(error),
      throttles: sql`throttles + 1`,
      run_at: msFromNow(this.#db, delayMs),
    })
    return this.#end(lease, { update, outcome: 'failed', event: 'retrying', error, data: { delayMs } })
  }

  /**
   * Requeues an unfinished job at no cost to it, because the worker stops. Returns false if the lease is
   * lost.
   */
  async release(lease: Lease): Promise<boolean> {
    const update = requeueJob(this.#db)
    const isEnded = await this.#end(lease, { update, outcome: 'released', event: 'released' })
    if (isEnded) this.#db.notifier.notify(QUEUE_TOPIC)
    return isEnded
  }

  #end(lease: Lease, end: AttemptEnd): Promise<boolean> {
    return endAttempt(this.#db, lease, end, (statement) =>
      statement
        .where('token', '=', lease.token)
        .where('owner', '=', lease.owner)
        .where('lease_until', '>', this.#db.now),
    )
  }
}
