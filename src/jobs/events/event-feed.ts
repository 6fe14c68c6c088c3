import type { Database } from '../../db/database.ts'
import type { ProjectScope, Scoped } from '../../db/project-scope.ts'
import type { Job } from '../job.ts'
import { afterTransaction, beforeTransaction } from './event-cursor.ts'
import type { EventLog } from './event-log.ts'
import { type FeedItems, FeedLoop, type FeedPosition, type JobWatch } from './feed-loop.ts'

/** The events and the progress of jobs, for the open streams of this process. */
export class EventFeed implements Scoped<ProjectEvents> {
  readonly #loop: FeedLoop

  /** @param options.maxEventStreams streams that may be open at a time; default: 1000 */
  constructor(
    database: Database,
    log: EventLog,
    options: { readonly maxEventStreams?: number | undefined } = {},
  ) {
    this.#loop = new FeedLoop(database, log, options)
  }

  in(scope: ProjectScope): ProjectEvents {
    return new ProjectEvents(this.#loop, scope)
  }
}

/** The events that one scope sees. Cursors that it is given name no job of another project. */
export class ProjectEvents {
  readonly #loop: FeedLoop
  readonly #scope: ProjectScope

  constructor(loop: FeedLoop, scope: ProjectScope) {
    this.#loop = loop
    this.#scope = scope
  }

  /**
   * Takes the place of one stream, until it is disposed of.
   * @throws EventStreamsBusyError EVENT_STREAMS_BUSY
   */
  open(): Disposable {
    return this.#loop.open()
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
