import { countRows } from '../../db/count-rows.ts'
import type { Database } from '../../db/database.ts'
import { QUEUED } from '../rows.ts'

/** How long a count of queued jobs is reused, so that not every new job counts the queue. */
const COUNT_VALID_MS = 250
/** How long callers should wait before they retry when the queue is full. */
const RETRY_AFTER_MS = 5_000

/** The number of queued jobs has reached its limit. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
  readonly code = 'QUEUE_FULL'
  readonly retryAfterMs = RETRY_AFTER_MS
  constructor(maxQueued: number) {
    super(`at most ${maxQueued} jobs may be queued; try again later or raise RECORD_BROKER_MAX_QUEUED`)
  }
}

/** A place in the queue for some jobs. `isFull`: there was none. */
export type Reservation = {
  readonly isFull: boolean
  /** Gives back the places that were not used. Has to be called once. */
  settle(usedPlaces: number): void
}

/** The limit of queued jobs. Replicas count for themselves and may exceed it together by a little. */
export class QueueLimit {
  readonly #db: Database
  readonly #maxQueued: number
  /** The cached count of queued jobs, and when it was read by the monotonic clock. */
  #count = { readAt: Number.NEGATIVE_INFINITY, queued: 0 }

  /** @param maxQueued infinite for no limit */
  constructor(database: Database, maxQueued: number) {
    this.#db = database
    this.#maxQueued = maxQueued
  }

  get error(): QueueFullError {
    return new QueueFullError(this.#maxQueued)
  }

  /** Reserves places before the jobs are written, so that concurrent callers count them. */
  async reserve(places: number): Promise<Reservation> {
    if ((await this.freePlaces()) < places) return { isFull: true, settle: () => {} }
    const count = this.#count
    count.queued += places
    return {
      isFull: false,
      settle: (usedPlaces) => {
        // If the queue was counted meanwhile, this changes a count that nobody uses any more.
        count.queued -= places - usedPlaces
      },
    }
  }

  /** Returns how many further jobs may be queued. */
  async freePlaces(): Promise<number> {
    if (this.#maxQueued === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
    if (performance.now() - this.#count.readAt > COUNT_VALID_MS) {
      const waiting = this.#db.query
        .selectFrom('jobs')
        .select('id')
        .where('state', '=', QUEUED)
        .limit(this.#maxQueued + 1)
      const queued = await countRows(this.#db, waiting)
      this.#count = { readAt: performance.now(), queued }
    }
    return this.#maxQueued - this.#count.queued
  }
}
