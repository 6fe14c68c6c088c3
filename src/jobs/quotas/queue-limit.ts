import { LRUCache } from 'lru-cache'
import { countRows } from '../../db/count-rows.ts'
import type { Database } from '../../db/database.ts'
import { hasOtherProjects } from '../../db/other-projects.ts'
import { readQuotas } from '../../db/project-quotas.ts'
import { QUEUED } from '../rows.ts'
import { projectShare } from './project-share.ts'

/** How long a count of queued jobs is reused, so that not every new job counts the queue. */
const COUNT_VALID_MS = 250
/** How long callers should wait before they retry when the queue is full. */
const RETRY_AFTER_MS = 5_000
const MAX_COUNTED_PROJECTS = 1_000

/** The number of queued jobs has reached its limit. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
  readonly code = 'QUEUE_FULL'
  readonly retryAfterMs = RETRY_AFTER_MS
  constructor(maxQueued: number) {
    super(`at most ${maxQueued} jobs may be queued; try again later or raise RECORD_BROKER_MAX_QUEUED`)
  }
}

/** The queued jobs of a project have reached its quota, or without one its share of the queue. */
export class JobQuotaError extends Error {
  override readonly name = 'JobQuotaError'
  readonly code = 'JOB_QUOTA_EXCEEDED'
  readonly retryAfterMs = RETRY_AFTER_MS
  constructor(project: string, { queued, limit, isShare }: Count) {
    const bound = isShare
      ? `its share of the queue is ${limit}, half of RECORD_BROKER_MAX_QUEUED`
      : `its quota queuedJobs is ${limit}`
    super(
      `the project ${project} has ${queued} queued jobs, and ${bound}; wait until workers have started some, cancel some, or ask an administrator for a higher quota${isShare ? ' queuedJobs, which replaces the share' : ''}`,
    )
  }
}

/** Places in the queue for some jobs. */
export type Reservation = {
  /** Why there were no places; undefined if there were. */
  readonly refusal: QueueFullError | JobQuotaError | undefined
  /** Gives back the places that were not used. Has to be called once. */
  settle(usedPlaces: number): void
}

/**
 * A count of queued jobs and its limit, with the places that are reserved since it was read. `isShare`: the limit is
 * the share of a project without a quota.
 */
type Count = { queued: number; readonly limit: number; readonly isShare?: boolean | undefined }

/**
 * The limits of queued jobs: of all, and of each project by its quota or its share of all. Replicas count for
 * themselves and may exceed a limit together by a little.
 */
export class QueueLimit {
  readonly #db: Database
  readonly #all: CachedCount
  readonly #maxQueued: number
  readonly #projects = new LRUCache<string, CachedCount>({ max: MAX_COUNTED_PROJECTS })

  /** @param maxQueued infinite for no limit */
  constructor(database: Database, maxQueued: number) {
    this.#db = database
    this.#maxQueued = maxQueued
    this.#all = new CachedCount(async () => ({ queued: await this.#count(maxQueued), limit: maxQueued }))
  }

  /** Reserves places before the jobs are written, so that concurrent callers count them. */
  async reserve(project: string, places: number): Promise<Reservation> {
    const [all, own] = [await this.#all.read(), await this.#projectCount(project).read()]
    const refusal =
      freeIn(all) < places
        ? new QueueFullError(all.limit)
        : freeIn(own) < places
          ? new JobQuotaError(project, own)
          : undefined
    if (refusal) return { refusal, settle: () => {} }
    for (const count of [all, own]) count.queued += places
    return {
      refusal,
      settle: (usedPlaces) => {
        // If the queue was counted meanwhile, this changes counts that nobody uses any more.
        for (const count of [all, own]) count.queued -= places - usedPlaces
      },
    }
  }

  /** Returns how many further jobs may be queued. @param project undefined: the quota of none counts */
  async freePlaces(project: string | undefined): Promise<number> {
    const all = freeIn(await this.#all.read())
    return project === undefined ? all : Math.min(all, freeIn(await this.#projectCount(project).read()))
  }

  #projectCount(project: string): CachedCount {
    const known = this.#projects.get(project)
    if (known) return known
    const count = new CachedCount(async () => {
      const { limit, isShare } = await this.#projectLimit(project)
      return { queued: await this.#count(limit, project), limit, isShare }
    })
    this.#projects.set(project, count)
    return count
  }

  async #projectLimit(project: string): Promise<Pick<Count, 'limit' | 'isShare'>> {
    const { queuedJobs } = await readQuotas(this.#db, project)
    if (queuedJobs !== undefined) return { limit: queuedJobs }
    return (await hasOtherProjects(this.#db))
      ? { limit: projectShare(this.#maxQueued), isShare: true }
      : { limit: Number.POSITIVE_INFINITY }
  }

  /** Counts queued jobs, up to one more than the limit. Without a limit, their number does not matter. */
  async #count(limit: number, project?: string): Promise<number> {
    if (limit === Number.POSITIVE_INFINITY) return 0
    const waiting = this.#db.query
      .selectFrom('jobs')
      .select('id')
      .where('state', '=', QUEUED)
      .limit(limit + 1)
    return countRows(this.#db, project === undefined ? waiting : waiting.where('project', '=', project))
  }
}

/** A count that is read again when it is too old, once for all who ask meanwhile. */
class CachedCount {
  readonly #read: () => Promise<Count>
  #count: Promise<Count> | undefined
  /** When the count was read, by the monotonic clock. */
  #readAt = Number.NEGATIVE_INFINITY

  constructor(read: () => Promise<Count>) {
    this.#read = read
  }

  read(): Promise<Count> {
    if (this.#count && performance.now() - this.#readAt <= COUNT_VALID_MS) return this.#count
    const count = this.#read()
    this.#count = count
    this.#readAt = performance.now()
    // After a failure, the next caller tries again.
    count.catch(() => {
      if (this.#count === count) this.#count = undefined
    })
    return count
  }
}

function freeIn({ limit, queued }: Count): number {
  return limit - queued
}
