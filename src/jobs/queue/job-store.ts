import type { Database } from '../../db/database.ts'
import type { ProjectScope, Scoped } from '../../db/project-scope.ts'
import { JobLists } from '../lists/job-lists.ts'
import { QueueLimit } from '../quotas/queue-limit.ts'
import { type ImageNames, SINGLE_NAMES } from './image-names.ts'
import type { JobContext } from './job-context.ts'
import { ProjectJobs } from './project-jobs.ts'

/** The jobs in the database, for clients. Workers use `JobLeases`. */
export class JobStore implements Scoped<ProjectJobs> {
  readonly #shared: Omit<JobContext, 'scope'>

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
    const limit = new QueueLimit(database, maxQueued)
    this.#shared = { database, names, limit, lists: new JobLists(database) }
  }

  in(scope: ProjectScope): ProjectJobs {
    return new ProjectJobs({ ...this.#shared, scope })
  }
}
