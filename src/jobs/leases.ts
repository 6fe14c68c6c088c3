import { randomUUID } from 'node:crypto'
import { type SqlBool, sql, type Transaction, type UpdateObject } from 'kysely'
import { isUniqueViolation } from '../db/errors.ts'
import type { Database } from '../db/open.ts'
import type { Tables } from '../db/tables.ts'
import { type JobEventType, QUEUE_TOPIC, recordEvent, ringFor } from './events.ts'
import { type AttemptOutcome, type Job, type JobError, type Lease, MAX_CRASHES } from './job.ts'
import { fullHosts, pauseHost, type RegistryLimits } from './registry-limits.ts'
import { QUEUED, RUNNING, toJob } from './rows.ts'

/** How long a claim holds without renewal, by the database's clock. */
export const LEASE_MS = 30_000
/** How often whoever finds jobs looks for those of dead workers, too; who finds none looks in any case. */
const REAP_EVERY_MS = 1_000

/** What a renewal said: the leases that still hold, and of which jobs the cancellation was asked for. */
export type Renewal = { readonly held: ReadonlySet<string>; readonly cancelled: ReadonlySet<string> }

type Values = UpdateObject<Tables, 'jobs'>
type Ending = {
  readonly values: Values
  readonly outcome: AttemptOutcome
  readonly event: JobEventType
  readonly error?: JobError | undefined
  readonly data?: object
}

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

  /** Takes the most urgent job that is due, of those the one that waited longest; undefined when none is due. */
  async claim(owner: string): Promise<{ job: Job; lease: Lease } | undefined> {
    const reaps = performance.now() - this.#reapedAt > REAP_EVERY_MS
    if (reaps) await this.reap()
    const claimed = await this.#claimAny(owner)
    if (claimed || reaps || (await this.reap()) === 0) return claimed
    return this.#claimAny(owner)
  }

  async #claimAny(owner: string): Promise<{ job: Job; lease: Lease } | undefined> {
    for (;;) {
      try {
        return await this.#claim(owner)
      } catch (error) {
        // Another worker just began a job with the same target, which this one could not see yet (PostgreSQL).
        if (!isUniqueViolation(error)) throw error
      }
    }
  }

  async #claim(owner: string): Promise<{ job: Job; lease: Lease } | undefined> {
    const { now } = this.#db
    const token = randomUUID()
    const claimed = await this.#db.transaction(async (transaction) => {
      const full = this.#limits ? await fullHosts(this.#db, transaction, this.#limits) : []
      let due = transaction
        .selectFrom('jobs')
        .select('jobs.id')
        .where('jobs.state', '=', QUEUED)
        .where('run_at', '<=', now)
        .where((where) =>
          where.not(
            where.exists(
              where
                .selectFrom('host_pauses')
                .select('host')
                .where('until', '>', now)
                .where((paused) =>
                  paused.or([
                    paused('host', '=', paused.ref('jobs.source_host')),
                    paused('host', '=', paused.ref('jobs.target_host')),
                  ]),
                ),
            ),
          ),
        )
        // Of jobs with one target, such as those for two pushes of one tag, the later begins when the earlier is over.
        .where((where) =>
          where.or([
            where('target', '=', sql.lit('')),
            where.not(
              where.exists(
                where
                  .selectFrom('jobs as other')
                  .select('other.id')
                  .whereRef('other.target', '=', 'jobs.target')
                  .whereRef('other.kind', '=', 'jobs.kind')
                  .where('other.target', '<>', sql.lit(''))
                  .where('other.state', '=', RUNNING),
              ),
            ),
          ]),
        )
        .orderBy('priority', 'desc')
        .orderBy('run_at')
        .orderBy('jobs.id')
        .limit(1)
      if (full.length > 0) {
        due = due.where('source_host', 'not in', full).where('target_host', 'not in', full)
      }
      // SQLite has one writer at a time; PostgreSQL has to lock the row it picks and to pass over those that other
      // workers are just taking.
      const picked = this.#db.engine === 'postgres' ? due.forUpdate('jobs').skipLocked() : due
      const row = await transaction
        .updateTable('jobs')
        .set({
          state: 'running',
          owner,
          token,
          attempt: sql`attempt + 1`,
          event_seq: sql`event_seq + 1`,
          lease_until: this.#leaseEnd(),
          started_at: sql`coalesce(started_at, ${now})`,
          progress: null,
        })
        .where('id', '=', picked)
        .returningAll()
        .executeTakeFirst()
      if (!row) return undefined
      const { id, attempt } = row
      await transaction
        .insertInto('job_attempts')
        .values({ job_id: id, attempt, owner, started_at: now })
        .execute()
      const event = { id, seq: row.event_seq, type: 'started', data: { attempt, owner } } as const
      await recordEvent(this.#db, transaction, event)
      return row
    })
    if (!claimed) return undefined
    ringFor(this.#db, claimed.id)
    return { job: toJob(claimed), lease: { id: claimed.id, owner, attempt: claimed.attempt, token } }
  }

  /**
   * Takes up what dead workers left: their jobs go back into the queue, at the cost of a crash, or end when they
   * killed too many workers. Answers how many there were.
   */
  async reap(): Promise<number> {
    this.#reapedAt = performance.now()
    const { now } = this.#db
    const expired = await this.#db.query
      .selectFrom('jobs')
      .select(['id', 'token', 'attempt', 'crashes', 'cancel_requested_at'])
      .where('state', '=', RUNNING)
      .where('lease_until', '<', now)
      .execute()
    for (const { id, token, attempt, crashes, cancel_requested_at } of expired) {
      const died: JobError = { code: 'WORKER_DIED', message: 'the worker died, or its lease ran out' }
      const message = `the worker died ${crashes + 1} times while it did this; see its log for out-of-memory or disk errors`
      const crash: Ending =
        crashes + 1 >= MAX_CRASHES && cancel_requested_at === null
          ? {
              values: { ...this.#over('failed'), error: JSON.stringify({ code: 'WORKER_DIED', message }) },
              outcome: 'crashed',
              event: 'failed',
              error: died,
            }
          : { values: this.#queued({ run_at: now }), outcome: 'crashed', event: 'crashed', error: died }
      const values = { ...crash.values, crashes: sql<number>`crashes + 1` }
      await this.#change({ id, attempt }, { ...crash, values }, (update) =>
        update.where('token', '=', token).where('lease_until', '<', now),
      )
    }
    return expired.length
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
      .set({ lease_until: this.#leaseEnd() })
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
      .set({ lease_until: sql`${this.#db.now} - 1` })
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
    const values = { ...this.#over('succeeded'), report: JSON.stringify(report), error: null }
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
      run_at: this.#in(delayMs),
    })
    return this.#end(lease, { values, outcome: 'failed', event: 'retrying', error, data: { delayMs } })
  }

  /** Puts the job back because a registry asked for fewer requests, which it is spared for as long. */
  async throttle(lease: Lease, error: JobError, delayMs: number, host: string | undefined): Promise<boolean> {
    const values = this.#queued({
      error: JSON.stringify(error),
      throttles: sql`throttles + 1`,
      run_at: this.#in(delayMs),
    })
    const data = { delayMs, ...(host !== undefined && { host }) }
    const done = await this.#end(lease, { values, outcome: 'throttled', event: 'throttled', error, data })
    if (done && host !== undefined) await pauseHost(this.#db, host, delayMs)
    return done
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

  #leaseEnd() {
    return this.#in(this.leaseMs)
  }

  #in(ms: number) {
    return sql<number>`${this.#db.now} + ${sql.lit(Math.ceil(ms))}`
  }

  #end(lease: Lease, ending: Ending): Promise<boolean> {
    return this.#change(lease, ending, (update) =>
      update
        .where('token', '=', lease.token)
        .where('owner', '=', lease.owner)
        .where('lease_until', '>', this.#db.now),
    )
  }

  /** Job, attempt and event change together, or not at all. */
  async #change(
    { id, attempt }: { readonly id: string; readonly attempt: number },
    { values, outcome, event, error, data }: Ending,
    only: (update: ReturnType<typeof updateRunning>) => ReturnType<typeof updateRunning>,
  ): Promise<boolean> {
    const changed = await this.#db.transaction(async (transaction) => {
      const row = await only(updateRunning(transaction, id, attempt, values))
        .returning(['event_seq', 'state'])
        .executeTakeFirst()
      if (!row) return false
      // Somebody asked to cancel it, which is why the attempt ended in whatever it ended.
      const asked = row.state === 'cancelled' && outcome !== 'crashed'
      await transaction
        .updateTable('job_attempts')
        .set({
          ended_at: this.#db.now,
          outcome: asked ? 'cancelled' : outcome,
          error: error === undefined ? null : JSON.stringify(error),
        })
        .where('job_id', '=', id)
        .where('attempt', '=', attempt)
        .execute()
      const type = row.state === 'cancelled' ? 'cancelled' : event
      const said = { attempt, ...(error && { error }), ...data }
      await recordEvent(this.#db, transaction, { id, seq: row.event_seq, type, data: said })
      return true
    })
    if (changed) ringFor(this.#db, id)
    return changed
  }
}

function updateRunning(transaction: Transaction<Tables>, id: string, attempt: number, values: Values) {
  return transaction
    .updateTable('jobs')
    .set({ ...values, event_seq: sql`event_seq + 1` })
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('state', '=', RUNNING)
}
