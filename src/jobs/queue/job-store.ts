import type { Database } from '../../db/database.ts'
import type { ProjectScope, Scoped } from '../../db/project-scope.ts'
import { JobLists } from '../lists/job-lists.ts'
import { QueueLimit } from '../quotas/queue-limit.ts'
import { type ImageNames, SINGLE_NAMES } from './image-names.ts'
import { ProjectJobs } from './project-jobs.ts'

/** The jobs in the database, for clients. Workers use `JobLeases`. */
export class JobStore implements Scoped<ProjectJobs> {
  readonly #db: Database
  readonly #names: ImageNames
  readonly #limit: QueueLimit
  readonly #lists: JobLists

  /**
   * @param options.maxQueued the maximum number of queued jobs of all projects; default: no limit
   * @param options.names the names of images, by which jobs are stored and found; default: each has one
   */
  constructor(
    database: Database,
    {
      maxQueued = Number.POSITIVE_INFINITY,
      names = SINGLE_NAMES,
    }: { readonly maxQueued?: number; readonly names?: ImageNames } = {},
  ) {
    this.#db = database
    this.#names = names
    this.#limit = new QueueLimit(database, maxQueued)
    this.#lists = new JobLists(database)
  }

  in(scope: ProjectScope): ProjectJobs {
    return new ProjectJobs({
      database: this.#db,
      names: this.#names,
      limit: this.#limit,
      lists: this.#lists,
      scope,
    })
  }
}
