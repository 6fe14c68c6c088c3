import { type SqlBool, sql, type Transaction } from 'kysely'
import { backoffMs } from '../../concurrency/backoff.ts'
import { inMs } from '../../db/moments.ts'
import { newId } from '../../db/new-id.ts'
import type { Database } from '../../db/open.ts'
import type { Tables } from '../../db/tables.ts'
import { isOver, type Job, type JobState } from '../job.ts'
import { SUMMARY } from '../rows.ts'
import { CALLBACKS_TOPIC } from './events.ts'

/** Tries to deliver a callback before it is given up. */
export const MAX_TRIES = 10
const BACKOFF = { firstMs: 5_000, longestMs: 3_600_000, least: 0.5 }
/** A sender that died with a callback in hand is in the way for so long. */
const IN_HAND_MS = 60_000

/** One try to deliver a callback. `status` is that of the answer. */
export type Delivery = {
  readonly attempt: number
  readonly at: number
  readonly status: number | undefined
  readonly error: string | undefined
}

export type Callback = {
  readonly id: string
  readonly url: string
  readonly state: 'waiting' | 'due' | 'delivered' | 'failed'
  readonly deliveries: readonly Delivery[]
}

/** What is not taken. */
type PassedOver = { readonly ids?: readonly string[]; readonly origins?: readonly string[] }

/** A callback that is to be delivered now. */
export type DueCallback = {
  readonly id: string
  readonly url: string
  readonly attempt: number
  readonly tries: number
  /** The same for every try to tell of one end of the job. */
  readonly messageId: string
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
}

/** A callback's address for logs and answers: its query may hold a secret. */
export function shownAddress(url: string): string {
  const { origin, pathname, search } = new URL(url)
  return `${origin}${pathname}${search === '' ? '' : '?…'}`
}

/** Notes who wants to be told of the end of a job, within the transaction that accepts it. */
export async function addCallback(
  database: Database,
  transaction: Transaction<Tables>,
  job: Job,
  url: string,
): Promise<void> {
  const state = isOver(job.state) ? 'due' : 'waiting'
  await transaction
    .insertInto('callbacks')
    .values({ id: newId(), job_id: job.id, url: new URL(url).href, state, run_at: database.now })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** The callbacks in the database. */
export class Callbacks {
  readonly #db: Database

  constructor(database: Database) {
    this.#db = database
  }

  /**
   * Takes one that is due; undefined when there is none.
   * @param passedOver callbacks by id, and all of origins such as `https://ci.example`
   */
  async take({ ids = [], origins = [] }: PassedOver = {}): Promise<DueCallback | undefined> {
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
        run_at: inMs(this.#db, IN_HAND_MS),
      })
      .where('id', '=', engine === 'postgres' ? due.forUpdate().skipLocked() : due)
      .returningAll()
      .executeTakeFirst()
    if (!row) return undefined
    const job = await this.#db.query
      .selectFrom('jobs')
      .select(SUMMARY)
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
        error: job.error === null ? undefined : JSON.parse(job.error),
        digest: job.result_digest ?? undefined,
        finishedAt: job.finished_at ?? undefined,
      },
    }
  }

  /** Keeps what came of a try. What was not delivered is tried again with growing waits, unless `final`. */
  async tried(
    { id, attempt, tries }: DueCallback,
    result: { readonly status?: number; readonly error?: string; readonly final?: boolean },
    random: number,
  ): Promise<void> {
    const { now } = this.#db
    const delivered = result.error === undefined
    const waitMs = backoffMs(BACKOFF, tries, random)
    const state = delivered ? 'delivered' : result.final || tries >= MAX_TRIES ? 'failed' : 'due'
    await this.#db.transaction(async (transaction) => {
      await transaction
        .updateTable('callbacks')
        .set({ state, run_at: inMs(this.#db, waitMs) })
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
  }

  /** The callbacks of a job, with every try. */
  async ofJob(job: string): Promise<Callback[]> {
    const callbacks = await this.#db.query
      .selectFrom('callbacks')
      .selectAll()
      .where('job_id', '=', job)
      .orderBy('id')
      .execute()
    const tries = await this.#db.query
      .selectFrom('deliveries')
      .innerJoin('callbacks', 'callbacks.id', 'deliveries.callback_id')
      .selectAll('deliveries')
      .where('callbacks.job_id', '=', job)
      .orderBy('deliveries.attempt')
      .execute()
    return callbacks.map(({ id, url, state }) => ({
      id,
      url,
      state,
      deliveries: tries
        .filter((one) => one.callback_id === id)
        .map(({ attempt, at, status, error }) => ({
          attempt,
          at,
          status: status ?? undefined,
          error: error ?? undefined,
        })),
    }))
  }

  wait(ms: number, signal: AbortSignal): Promise<void> {
    return this.#db.wakeups.wait(CALLBACKS_TOPIC, ms, signal)
  }
}
