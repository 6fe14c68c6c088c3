import type { Caller } from '../../access/caller.ts'
import type { Job } from '../../jobs/job.ts'
import type { RetryRefusal } from '../../jobs/queue/retry-jobs.ts'
import { firstRefused, refusedBy } from '../access/project-placement.ts'
import { HttpError } from '../problem.ts'
import type { Services } from '../services.ts'

/** Returns why {@link assertJobAllowed} refuses a job, to leave it out of many. */
export async function retryRefusal(
  job: Parameters<typeof assertJobAllowed>[0],
  context: Parameters<typeof assertJobAllowed>[1],
): Promise<RetryRefusal | undefined> {
  try {
    await assertJobAllowed(job, context)
    return undefined
  } catch (error) {
    if (error instanceof HttpError) return { code: error.code, message: error.message }
    throw error
  }
}

/**
 * Checks that a caller may use the images of a job that it starts again. Whoever created the job may have had patterns
 * that the caller, in the same project, does not have. The patterns of an administrator do not contain those of the
 * project, which are checked as they are now.
 * @throws HttpError REPOSITORY_NOT_ALLOWED, PROJECT_NOT_FOUND
 */
export async function assertJobAllowed(
  { source, target, comparedWith, project }: Pick<Job, 'source' | 'target' | 'comparedWith' | 'project'>,
  { caller, services }: { readonly caller: Caller; readonly services: Pick<Services, 'names' | 'projects'> },
): Promise<void> {
  const images = {
    read: [source, comparedWith ?? ''].filter((image) => image !== ''),
    written: target === '' ? [] : [target],
  }
  const refusedToCaller = firstRefused(images, caller.access, services.names)
  if (refusedToCaller) {
    const { use, repository } = refusedToCaller
    const detail = `the credential of the request may not ${use} ${repository}, which this job does; use one that may`
    throw new HttpError(403, 'REPOSITORY_NOT_ALLOWED', detail)
  }
  if (!caller.projectScope.seesAll) return
  const refused = await refusedBy(project, images, services)
  if (!refused) return
  const detail = `the job belongs to the project ${project}, whose \`${refused.use}\` patterns do not allow ${refused.repository}; change its patterns, or create the job in another project`
  throw new HttpError(403, 'REPOSITORY_NOT_ALLOWED', detail)
}
