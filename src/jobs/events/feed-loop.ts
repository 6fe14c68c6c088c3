import { setTimeout as delay } from 'node:timers/promises'
import { Semaphore } from '../../concurrency/semaphore.ts'
import type { Database } from '../../db/database.ts'
import type { EventLog, StreamedJobEvent } from './event-log.ts'
import { RecentEvents } from './recent-events.ts'
import { type RunningProgress, RunningProgressTable } from './running-progress.ts'
import { Wakeup } from './wakeup.ts'

/** Events in memory, about 1 KB each. Streams that are further behind read the database. */
const MAX_RECENT = 2_000
/** Events that a stream gets at once. */
const MAX_PER_READ = 100
/** Streams that read the database concurrently because they are behind. */
const MAX_CATCHING_UP = 4
/** The maximum number of pages of events that are read before progress. */
const MAX_PAGES = 20
/** The least time between two reads: changes within it reach the streams together. */
const COALESCE_MS = 100
const DATABASE_RETRY_MS = 1_000
/** How long a stream of one job relies on the feed alone. */
const JOB_CHECK_MS = 15_000

/** The place of a stream: after the event with this cursor, and after this version of the progress. */
export type FeedPosition = { readonly cursor: string; readonly progressVersion: number }
/** What happened since a position, and the position after it. */
export type FeedItems = {
  readonly events: readonly StreamedJobEvent[]
  readonly progress: readonly RunningProgress[]
  readonly position: FeedPosition
}
/** Tells a stream of one job when to read the job again. */
export type JobWatch = Disposable & {
  /** Increases when the job may have changed. */
  readonly version: number
  /** Waits for a change after `version`, for a bounded time. */
  wait(version: number, signal: AbortSignal): Promise<void>
}

/**
 * The events and the progress of the jobs of all projects, for any number of open streams of this process. One loop
 * reads the database for all of them while any is open. Each stream reads at its own pace; a slow one occupies no
 * memory, and gets only the latest progress.
 */
export class FeedLoop {
  readonly #log: EventLog
  readonly #catchingUp = new Semaphore(MAX_CATCHING_UP)
  readonly #progress: RunningProgressTable
  readonly #changed = new Wakeup()
  readonly #jobs = new Map<string, { readonly changed: Wakeup; watches: number }>()
  #openCount = 0
  #recent: Promise<RecentEvents> | undefined
  #stop = new AbortController()

  constructor(database: Database, log: EventLog) {
    this.#log = log
    this.#progress = new RunningProgressTable(database)
  }

  /** Counts one stream as open, until it is disposed of. */
  open(): Disposable {
    this.#openCount += 1
    return { [Symbol.dispose]: () => this.#close() }
  }

  #close(): void {
    this.#openCount -= 1
    if (this.#openCount > 0) return
    this.#stop.abort()
    this.#stop = new AbortController()
    this.#recent = undefined
  }

  /** The cursor of the latest event. An open stream that starts with new events starts here. */
  async latestCursor(): Promise<string> {
    return (await this.#start()).end
  }

  /**
   * Waits until there is something after a position, and returns it, for an open stream. Returns empty lists
   * when `signal` aborts. A stream that is behind gets events only.
   */
  async read({ cursor, progressVersion }: FeedPosition, signal: AbortSignal): Promise<FeedItems> {
    while (!signal.aborted) {
      const { version } = this.#changed
      const recent = await this.#start()
      const known = recent.after(cursor, MAX_PER_READ)
      const events = known ?? (await this.#catchingUp.run(() => this.#log.listAll(cursor), signal))
      const isBehind = known === undefined || known.length === MAX_PER_READ
      const progress = isBehind ? [] : this.#progress.since(progressVersion)
      if (events.length > 0 || progress.length > 0) {
        const position = {
          cursor: events.at(-1)?.cursor ?? cursor,
          progressVersion: isBehind ? progressVersion : this.#progress.version,
        }
        return { events, progress, position }
      }
      await this.#changed.wait(version, signal)
    }
    return { events: [], progress: [], position: { cursor, progressVersion } }
  }

  /** Watches a job for an open stream. */
  watchJob(jobId: string): JobWatch {
    // If the database does not respond, the stream reads the job again after a while.
    this.#start().catch(() => {})
    const entry = this.#jobs.get(jobId) ?? { changed: new Wakeup(), watches: 0 }
    this.#jobs.set(jobId, entry)
    entry.watches += 1
    return {
      get version() {
        return entry.changed.version
      },
      wait: (version, signal) => entry.changed.wait(version, signal, JOB_CHECK_MS),
      [Symbol.dispose]: () => {
        entry.watches -= 1
        if (entry.watches === 0) this.#jobs.delete(jobId)
      },
    }
  }

  /** Starts the loop with the first stream that reads. */
  #start(): Promise<RecentEvents> {
    if (this.#recent) return this.#recent
    const { signal } = this.#stop
    const starting = this.#log.latestCursor().then((cursor) => {
      const recent = new RecentEvents(cursor, MAX_RECENT)
      void this.#run(recent, signal)
      return recent
    })
    // After a failure, the next read tries again.
    starting.catch(() => {
      if (this.#recent === starting) this.#recent = undefined
    })
    this.#recent = starting
    return starting
  }

  async #run(recent: RecentEvents, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedAt = performance.now()
      try {
        await this.#readNew(recent)
      } catch {
        // The database does not respond, which the health check reports. Streams wait until it does.
        await delay(DATABASE_RETRY_MS, undefined, { signal }).catch(() => {})
        continue
      }
      await this.#log.wait(signal, this.#progress.msUntilRefresh())
      const restMs = startedAt + COALESCE_MS - performance.now()
      if (restMs > 0) await delay(restMs, undefined, { signal }).catch(() => {})
    }
  }

  /** Reads what is new, and wakes the streams. */
  async #readNew(recent: RecentEvents): Promise<void> {
    // A bound, because events may arrive as fast as they are read, and progress has to be read, too.
    for (let page = 0; page < MAX_PAGES; page++) {
      const events = await this.#log.listAll(recent.end)
      if (events.length === 0) break
      recent.add(events)
      for (const { jobId, type } of events) {
        if (type !== 'started' && type !== 'cancel-requested') this.#progress.remove(jobId)
        this.#jobs.get(jobId)?.changed.wake()
      }
      this.#changed.wake()
    }
    const progressed = await this.#progress.refresh()
    for (const jobId of progressed) this.#jobs.get(jobId)?.changed.wake()
    if (progressed.length > 0) this.#changed.wake()
  }
}
