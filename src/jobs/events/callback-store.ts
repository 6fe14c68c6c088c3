import { type SqlBool, sql, type Transaction } from 'kysely'
import { backoffMs } from '../../concurrency/backoff.ts'
import type { Database } from '../../db/database.ts'
import { newId } from '../../db/new-id.ts'
import { msFromNow } from '../../db/sql-time.ts'
import type { Tables } from '../../db/tables.ts'
import { isFinished, type Job, type JobState, type StoredJob } from '../job.ts'
import { parseError, SUMMARY_COLUMNS } from '../rows.ts'
import { CALLBACKS_TOPIC } from './topics.ts'

/** The number of failed delivery attempts at which a callback fails. */
export const MAX_DELIVERIES = 10
const BACKOFF = { initialMs: 5_000, maxMs: 3_600_000, minShare: 0.5 }
/** A claimed callback becomes due again after this time, in case its sender died. */
const CLAIM_TIMEOUT_MS = 60_000

/** One delivery attempt. `status` is that of the HTTP response, `finishedAt` in milliseconds since 1970. */
export type Delivery = {
  readonly attempt: number
  readonly finishedAt: number
  readonly status: number | undefined
  readonly error: string | undefined
}

export type Callback = {
  readonly id: string
  readonly url: string
  readonly state: 'waiting' | 'due' | 'delivered' | 'failed'
  readonly deliveries: readonly Delivery[]
}

/** Callbacks that a claim skips: by id, and all of an origin such as `https://ci.example`. */
type SkippedCallbacks = { readonly ids?: readonly string[]; readonly origins?: readonly string[] }

/** The result of a delivery attempt: delivered if `error` is undefined. A `final` failure is not retried. */
export type DeliveryResult = { readonly status?: number; readonly error?: string; readonly final?: boolean }

/** A callback to deliver now. `tries` counts attempts since the job last finished, `attempt` all of them. */
export type DueCallback = {
  readonly id: string
  readonly url: string
  readonly attempt: number
  readonly tries: number
  /** The message id of Standard Webhooks: the same for all attempts to report the same end of the job. */
  readonly messageId: string
  /** The webhook's body contains these fields. */
  readonly job: {
    readonly id: string
    readonly kind: string
    readonly state: JobState
    readonly source: string
    readonly target: string
    readonly labels: Readonly<Record<string, string>>
    readonly error: unknown
    readonly digest: string | undefined
    readonly finishedAt: number | undefined
  }
  /** The HTTP request that created the job. */
  readonly requestId: string | undefined
  /** The span of the job, as a `traceparent` header names it. */
  readonly traceparent: string | undefined
}

/** Replaces the query of a callback's URL, which may contain a secret. For logs and responses. */
export function redactUrl(url: string): string {
  const { origin, pathname, search } = new URL(url)
  return `${origin}${pathname}${search === '' ? '' : '?…'}`
}

/**
 * Adds a callback for the end of a job, within the transaction that accepts the job. Has no effect if it
 * exists.
 */
export async function addCallback(
  database: Database,
  transaction: Transaction<Tables>,
  job: Job,
  url: string,
): Promise<void> {
  const state = isFinished(job.state) ? 'due' : 'waiting'
  await transaction
    .insertInto('callbacks')
    .values({ id: newId(), job_id: job.id, url: new URL(url).href, state, run_at: database.now })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Stores callbacks and their deliveries in the database. */
export class CallbackStore {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /** Claims a callback that is due, for 60 seconds. Returns undefined if there is none. */
  async claim({ ids = [], origins = [] }: SkippedCallbacks = {}): Promise<DueCallback | undefined> {
    const { now, engine } = this.#db
    let due = this.#db.query
      .selectFrom('callbacks')
      .select('id')
      .where('state', '=', 'due')
      .where('run_at', '<=', now)
      .orderBy('run_at')
      .limit(1)
    if (ids.length > 0) due = due.where('id', 'not in', ids)
    for (const origin of origins) {
      due = due.where(sql<SqlBool>`substr(url, 1, ${sql.lit(origin.length + 1)}) <> ${`${origin}/`}`)
    }
    const row = await this.#db.query
      .updateTable('callbacks')
      .set({
        attempt: sql`attempt + 1`,
        tries: sql`tries + 1`,
        run_at: msFromNow(this.#db, CLAIM_TIMEOUT_MS),
      })
      .where('id', '=', engine === 'postgres' ? due.forUpdate().skipLocked() : due)
      .returningAll()
      .executeTakeFirst()
    if (!row) return undefined
    const job = await this.#db.query
      .selectFrom('jobs')
      .select(SUMMARY_COLUMNS)
      .where('id', '=', row.job_id)
      .executeTakeFirstOrThrow()
    return {
      id: row.id,
      url: row.url,
      attempt: row.attempt,
      tries: row.tries,
      messageId: `msg_${row.id}_${job.attempt}`,
      job: {
        id: job.id,
        kind: job.kind,
        state: job.state,
        source: job.source,
        target: job.target,
        labels: JSON.parse(job.labels) as Record<string, string>,
        error: parseError(job.error),
        digest: job.result_digest ?? undefined,
        finishedAt: job.finished_at ?? undefined,
      },
      requestId: job.request_id ?? undefined,
      traceparent: job.traceparent ?? undefined,
    }
  }

  /**
   * Stores the result of a delivery attempt. A failed delivery is due again after a growing wait, unless it
   * is `final`. Returns the state of the callback.
   */
  async recordDelivery(
    { id, attempt, tries }: DueCallback,
    result: DeliveryResult,
  ): Promise<'delivered' | 'failed' | 'due'> {
    const { now } = this.#db
    const delivered = result.error === undefined
    const waitMs = backoffMs(BACKOFF, tries, Math.random())
    const state = delivered ? 'delivered' : result.final || tries >= MAX_DELIVERIES ? 'failed' : 'due'
    await this.#db.transaction(async (transaction) => {
      await transaction
        .updateTable('callbacks')
        .set({ state, run_at: msFromNow(this.#db, waitMs) })
        .where('id', '=', id)
        .where('attempt', '=', attempt)
        .where('state', '=', 'due')
        .execute()
      await transaction
        .insertInto('deliveries')
        .values({
          callback_id: id,
          attempt,
          at: now,
          status: result.status ?? null,
          error: result.error ?? null,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
    return state
  }

  /** Lists the callbacks of a job with all delivery attempts. */
  async listForJob({ id: jobId }: StoredJob): Promise<Callback[]> {
    const callbacks = await this.#db.query
      .selectFrom('callbacks')
      .selectAll()
      .where('job_id', '=', jobId)
      .orderBy('id')
      .execute()
    const deliveries = await this.#db.query
      .selectFrom('deliveries')
      .innerJoin('callbacks', 'callbacks.id', 'deliveries.callback_id')
      .selectAll('deliveries')
      .where('callbacks.job_id', '=', jobId)
      .orderBy('deliveries.attempt')
      .execute()
    return callbacks.map(({ id, url, state }) => ({
      id,
      url,
      state,
      deliveries: deliveries
        .filter((delivery) => delivery.callback_id === id)
        .map(({ attempt, at, status, error }) => ({
          attempt,
          finishedAt: at,
          status: status ?? undefined,
          error: error ?? undefined,
        })),
    }))
  }

  /** Waits until a callback may be due. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    return this.#db.notifier.wait(CALLBACKS_TOPIC, ms, signal)
  }
}
