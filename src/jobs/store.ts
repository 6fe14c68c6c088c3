import { type Selectable, type SqlBool, sql } from 'kysely'
import { newId } from '../db/new-id.ts'
import type { Database } from '../db/open.ts'
import type { JobsTable } from '../db/tables.ts'
import type { Job, JobError, JobKind, JobState, Lease } from './job.ts'

/** How long a claim holds without renewal, by the database's clock. */
export const LEASE_MS = 30_000

export type NewJob = { kind: JobKind; source: string; target: string; recordId?: string; request: unknown }
export type JobFilter = { state?: JobState; source?: string; target?: string }
/** `after` is the id of the last job seen; pages go from the newest to the oldest. */
export type Page = { after?: string; limit: number }

/** The jobs in the database. Every write of a worker is conditional on its lease. */
export class JobStore {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /** Accepts a job: when this returns, the job is on disk. */
  async create(job: NewJob): Promise<Job> {
    const row = await this.#db.query
      .insertInto('jobs')
      .values({
        id: newId(),
        kind: job.kind,
        state: 'queued',
        source: job.source,
        target: job.target,
        record_id: job.recordId ?? null,
        request: JSON.stringify(job.request),
        run_at: this.#db.now,
        created_at: this.#db.now,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return toJob(row)
  }

  async get(kind: JobKind, id: string): Promise<Job | undefined> {
    const row = await this.#db.query
      .selectFrom('jobs')
      .selectAll()
      .where('kind', '=', kind)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && toJob(row)
  }

  /** One page of jobs, newest first, and the cursor of the next page where there is one. */
  async list(kind: JobKind, filter: JobFilter, page: Page): Promise<{ items: Job[]; next?: string }> {
    let query = this.#db.query.selectFrom('jobs').selectAll().where('kind', '=', kind)
    if (filter.state) query = query.where('state', '=', filter.state)
    if (filter.source) query = query.where('source', '=', filter.source)
    if (filter.target) query = query.where('target', '=', filter.target)
    if (page.after) query = query.where('id', '<', page.after)
    const rows = await query
      .orderBy('id', 'desc')
      .limit(page.limit + 1)
      .execute()
    const items = rows.slice(0, page.limit).map(toJob)
    const last = items.at(-1)
    return rows.length > page.limit && last ? { items, next: last.id } : { items }
  }

  /** Whether a job that is not finished will read this record. */
  async needsRecord(recordId: string): Promise<boolean> {
    const row = await this.#db.query
      .selectFrom('jobs')
      .select('id')
      .where('record_id', '=', recordId)
      .where('state', 'in', ['queued', 'running'])
      .executeTakeFirst()
    return row !== undefined
  }

  /** Takes the job that waited longest, or one whose worker let its lease run out; undefined when none is due. */
  async claim(owner: string): Promise<{ job: Job; lease: Lease } | undefined> {
    const { now } = this.#db
    const due = this.#db.query
      .selectFrom('jobs')
      .select('id')
      .where((where) =>
        where.or([
          where.and([where('state', '=', 'queued'), where('run_at', '<=', now)]),
          where.and([where('state', '=', 'running'), where('lease_until', '<', now)]),
        ]),
      )
      .orderBy('run_at')
      .orderBy('id')
      .limit(1)
    // SQLite runs one writer at a time, so the statement is atomic as it is; PostgreSQL has to lock the row
    // it picks and to pass over the rows that other workers are just taking.
    const picked = this.#db.engine === 'postgres' ? due.forUpdate().skipLocked() : due
    const row = await this.#db.query
      .updateTable('jobs')
      .set({
        state: 'running',
        owner,
        attempt: sql`attempt + 1`,
        crashes: sql`crashes + (case when state = 'running' then 1 else 0 end)`,
        lease_until: sql`${now} + ${sql.lit(LEASE_MS)}`,
        started_at: sql`coalesce(started_at, ${now})`,
      })
      .where('id', '=', picked)
      .returningAll()
      .executeTakeFirst()
    return row && { job: toJob(row), lease: { id: row.id, owner, attempt: row.attempt } }
  }

  /** Extends the lease; false when it is lost. */
  async renew(lease: Lease): Promise<boolean> {
    return this.#write(lease, { lease_until: sql`${this.#db.now} + ${sql.lit(LEASE_MS)}` })
  }

  /**
   * Ends the leases of a worker that is known to be dead, so that nobody waits for them to run out.
   * @param owners how the names of its claims begin
   */
  async expire(owners: string): Promise<void> {
    await this.#db.query
      .updateTable('jobs')
      .set({ lease_until: sql`${this.#db.now} - 1` })
      .where('state', '=', 'running')
      .where(sql<SqlBool>`substr(owner, 1, ${sql.lit(owners.length)}) = ${owners}`)
      .execute()
  }

  /** Stores how far the job is; false when the lease is lost. */
  async progress(lease: Lease, progress: unknown): Promise<boolean> {
    return this.#write(lease, { progress: JSON.stringify(progress) })
  }

  /** Ends the job with its report; false when the lease is lost. */
  async succeed(lease: Lease, report: unknown): Promise<boolean> {
    return this.#write(lease, {
      state: 'succeeded',
      report: JSON.stringify(report),
      error: null,
      ...this.#ended(),
    })
  }

  /** Ends the job as failed; false when the lease is lost. */
  async fail(lease: Lease, error: JobError): Promise<boolean> {
    return this.#write(lease, { state: 'failed', error: JSON.stringify(error), ...this.#ended() })
  }

  /** Puts the job back into the queue after a failure that may pass; false when the lease is lost. */
  async retryLater(lease: Lease, error: JobError, delayMs: number): Promise<boolean> {
    return this.#write(lease, {
      state: 'queued',
      error: JSON.stringify(error),
      failures: sql`failures + 1`,
      run_at: sql`${this.#db.now} + ${sql.lit(Math.ceil(delayMs))}`,
      owner: null,
      lease_until: null,
    })
  }

  /** Gives an unfinished job back, at no cost to it: this worker stops. */
  async handBack(lease: Lease): Promise<boolean> {
    return this.#write(lease, { state: 'queued', owner: null, lease_until: null })
  }

  #ended() {
    return { finished_at: sql<number>`${this.#db.now}`, owner: null, lease_until: null }
  }

  async #write(lease: Lease, values: Record<string, unknown>): Promise<boolean> {
    const result = await this.#db.query
      .updateTable('jobs')
      .set(values)
      .where('id', '=', lease.id)
      .where('owner', '=', lease.owner)
      .where('attempt', '=', lease.attempt)
      .where('state', '=', 'running')
      .executeTakeFirst()
    return result.numUpdatedRows === 1n
  }
}

function toJob(row: Selectable<JobsTable>): Job {
  const json = (text: string | null): unknown => (text === null ? undefined : JSON.parse(text))
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    source: row.source,
    target: row.target,
    request: json(row.request),
    progress: json(row.progress),
    report: json(row.report),
    error: json(row.error) as JobError | undefined,
    attempt: row.attempt,
    failures: row.failures,
    crashes: row.crashes,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
  }
}
