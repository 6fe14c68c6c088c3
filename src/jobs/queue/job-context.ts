import type { Database } from '../../db/database.ts'
import type { ProjectScope } from '../../db/project-scope.ts'
import type { Job, JobKind } from '../job.ts'
import type { JobLists } from '../lists/job-lists.ts'
import type { QueueLimit } from '../quotas/queue-limit.ts'
import { toJob } from '../rows.ts'
import type { ImageNames } from './image-names.ts'

/** What operations on the jobs of one scope use. */
export type JobContext = {
  readonly database: Database
  readonly scope: ProjectScope
  /** The names by which jobs are stored and found. */
  readonly names: ImageNames
  readonly limit: QueueLimit
  readonly lists: JobLists
}

/** Returns a job of the scope with its request, progress and report. */
export async function readJob(
  { database, scope }: Pick<JobContext, 'database' | 'scope'>,
  kind: JobKind,
  id: string,
): Promise<Job | undefined> {
  const row = await database.query
    .selectFrom('jobs')
    .selectAll()
    .where('kind', '=', kind)
    .where('id', '=', id)
    .where(scope.condition())
    .executeTakeFirst()
  return row && toJob(row)
}
