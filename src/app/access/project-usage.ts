import type { ProjectUsage } from '../../access/projects/project-usage.ts'
import type { Database } from '../../db/database.ts'
import { countJobsOfProject } from '../../jobs/quotas/count-project-jobs.ts'
import { countRecordsOfProject } from '../../records/record-quota.ts'

/**
 * Returns what tells how much a project uses of each quota.
 * @param storedBytes measures the bytes of a project in the embedded registry; default: there is none
 */
export function projectUsage(
  database: Database,
  storedBytes?: (project: string) => Promise<number>,
): (project: string) => Promise<ProjectUsage> {
  return async (project) => {
    const [records, jobs, bytes] = await Promise.all([
      countRecordsOfProject(database, project),
      countJobsOfProject(database, project),
      storedBytes?.(project),
    ])
    return { records, queuedJobs: jobs.queued, runningJobs: jobs.running, storedBytes: bytes }
  }
}
