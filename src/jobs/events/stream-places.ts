import type { Database } from '../../db/database.ts'
import { hasOtherProjects } from '../../db/other-projects.ts'
import type { ProjectScope } from '../../db/project-scope.ts'
import { projectShare } from '../quotas/project-share.ts'

const BUSY_RETRY_AFTER_MS = 10_000

/** As many event streams are open as the process allows, or as the share of a project allows. */
export class EventStreamsBusyError extends Error {
  override readonly name = 'EventStreamsBusyError'
  readonly code = 'EVENT_STREAMS_BUSY'
  readonly retryAfterMs = BUSY_RETRY_AFTER_MS
  /** @param shareOf the project whose share is in use; undefined: all places are */
  constructor(maxStreams: number, shareOf?: string) {
    super(
      shareOf === undefined
        ? `at most ${maxStreams} event streams may be open; try again later or raise RECORD_BROKER_MAX_EVENT_STREAMS`
        : `the project ${shareOf} has its share of ${maxStreams} event streams open, half of RECORD_BROKER_MAX_EVENT_STREAMS; close some, or try again later`,
    )
  }
}

/** The places of the event streams of this process. No project takes more than its share when there are others. */
export class StreamPlaces {
  readonly #db: Database
  readonly #maxStreams: number
  /** The open streams of callers of one project. Those of administrators who see all count in the total only. */
  readonly #ofProjects = new Map<string, number>()
  #taken = 0

  constructor(database: Database, maxStreams: number) {
    this.#db = database
    this.#maxStreams = maxStreams
  }

  /**
   * Takes the place of one stream, until it is disposed of.
   * @throws EventStreamsBusyError EVENT_STREAMS_BUSY
   */
  async take({ seesAll, project }: ProjectScope): Promise<Disposable> {
    const share = projectShare(this.#maxStreams)
    // Only a project with that many streams has to wait for the database.
    if (!seesAll && this.#ofProject(project) >= share && (await hasOtherProjects(this.#db))) {
      throw new EventStreamsBusyError(share, project)
    }
    if (this.#taken >= this.#maxStreams) throw new EventStreamsBusyError(this.#maxStreams)
    this.#add(project, seesAll, 1)
    return { [Symbol.dispose]: () => this.#add(project, seesAll, -1) }
  }

  #ofProject(project: string): number {
    return this.#ofProjects.get(project) ?? 0
  }

  #add(project: string, seesAll: boolean, change: 1 | -1): void {
    this.#taken += change
    if (seesAll) return
    const count = this.#ofProject(project) + change
    if (count === 0) this.#ofProjects.delete(project)
    else this.#ofProjects.set(project, count)
  }
}
