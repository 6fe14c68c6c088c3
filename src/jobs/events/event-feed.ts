import type { Database } from '../../db/database.ts'
import type { ProjectScope, Scoped } from '../../db/project-scope.ts'
import type { Job } from '../job.ts'
import { afterTransaction, beforeTransaction } from './event-cursor.ts'
import type { EventLog } from './event-log.ts'
import { type FeedItems, FeedLoop, type FeedPosition, type JobWatch } from './feed-loop.ts'
import { StreamPlaces } from './stream-places.ts'

const DEFAULT_MAX_STREAMS = 1_000

/** The events and the progress of jobs, for the open streams of this process. */
export class EventFeed implements Scoped<ProjectEvents> {
  readonly #loop: FeedLoop
  readonly #places: StreamPlaces

  /** @param options.maxEventStreams streams that may be open at a time, of all projects; default: 1000 */
  constructor(
    database: Database,
    log: EventLog,
    { maxEventStreams = DEFAULT_MAX_STREAMS }: { readonly maxEventStreams?: number | undefined } = {},
  ) {
    this.#loop = new FeedLoop(database, log)
    this.#places = new StreamPlaces(database, maxEventStreams)
  }

  in(scope: ProjectScope): ProjectEvents {
    return new ProjectEvents(this.#loop, this.#places, scope)
  }
}

/** The events that one scope sees. The cursors for its clients name no job of another project. */
export class ProjectEvents {
  readonly #loop: FeedLoop
  readonly #places: StreamPlaces
  readonly #scope: ProjectScope

  constructor(loop: FeedLoop, places: StreamPlaces, scope: ProjectScope) {
    this.#loop = loop
    this.#places = places
    this.#scope = scope
  }

  /**
   * Takes the place of one stream of the scope's project, until it is disposed of.
   * @throws EventStreamsBusyError EVENT_STREAMS_BUSY
   */
  async open(): Promise<Disposable> {
    const place = await this.#places.take(this.#scope)
    const use = this.#loop.open()
    return {
      [Symbol.dispose]: () => {
        use[Symbol.dispose]()
        place[Symbol.dispose]()
      },
    }
  }

  /** The cursor after the latest event. An open stream that starts with new events starts here. */
  async latestCursor(): Promise<string> {
    const cursor = await this.#loop.latestCursor()
    return this.#scope.seesAll ? cursor : afterTransaction(cursor)
  }

  /**
   * Waits until there may be something after a position, and returns it, for an open stream. Returns empty lists
   * when `signal` aborts. `place` is the cursor after which a client resumes.
   */
  async read(position: FeedPosition, signal: AbortSignal): Promise<FeedItems & { readonly place: string }> {
    const items = await this.#loop.read(position, signal)
    const isVisible = ({ project }: { readonly project: string }) => this.#scope.includes(project)
    const events = items.events.filter(isVisible)
    const isNamed = this.#scope.seesAll || events.at(-1) === items.events.at(-1)
    const { cursor } = items.position
    return {
      events,
      progress: items.progress.filter(isVisible),
      position: items.position,
      place: isNamed ? cursor : beforeTransaction(cursor),
    }
  }

  /** Watches a job for an open stream. */
  watchJob(job: Job): JobWatch {
    return this.#loop.watchJob(job.id)
  }
}
