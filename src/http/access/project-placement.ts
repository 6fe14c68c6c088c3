import type { Caller, RepositoryAccess } from '../../access/caller.ts'
import type { ProjectDirectory } from '../../access/projects/project-directory.ts'
import { projectAccess, repositoryRule } from '../../access/registries/project-rule.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { parseReference } from '../../oci/reference.ts'
import { HttpError } from '../problem.ts'

type Services = { readonly projects: Pick<ProjectDirectory, 'get'>; readonly names: HostNames }

/** Images that a request names, by what it does with their repositories. */
export type UsedImages = { readonly read?: readonly string[]; readonly written?: readonly string[] }

type RefusedUse = { readonly use: 'read' | 'write'; readonly repository: string }

/**
 * Checks that the project that a request belongs to allows its images. The access of most callers contains the
 * patterns of their project. That of an administrator who names no project does not, while what it requests runs
 * under these patterns: without this check, a job would be accepted, and fail.
 * @param what the thing that would belong to the project, for the error
 * @throws HttpError REPOSITORY_NOT_ALLOWED
 */
export async function assertPlaceAllows(
  images: UsedImages,
  what: 'job' | 'result',
  { caller, services }: { readonly caller: Caller; readonly services: Services },
): Promise<void> {
  if (!caller.projectScope.seesAll) return
  const { project } = caller
  const refused = await refusedBy(project, images, services)
  if (!refused) return
  const detail = `the ${what} would belong to the project ${project}, whose \`${refused.use}\` patterns do not allow ${refused.repository}; name another project with the header Record-Broker-Project (\`--project\`), or change its patterns`
  throw new HttpError(403, 'REPOSITORY_NOT_ALLOWED', detail)
}

/** Returns the first repository that a project may not use. @throws HttpError PROJECT_NOT_FOUND */
export async function refusedBy(
  name: string,
  images: UsedImages,
  { projects, names }: Services,
): Promise<RefusedUse | undefined> {
  const project = await projects.get(name)
  if (!project) throw new HttpError(404, 'PROJECT_NOT_FOUND', `project ${name} does not exist`)
  return firstRefused(images, projectAccess(project), names)
}

/** Returns the first repository that patterns do not allow. */
export function firstRefused(
  { read = [], written = [] }: UsedImages,
  access: RepositoryAccess,
  names: HostNames,
): RefusedUse | undefined {
  const allows = repositoryRule(access, names)
  for (const [texts, use] of [
    [read, 'read'],
    [written, 'write'],
  ] as const) {
    for (const text of texts) {
      const { host, repository } = parseReference(text)
      if (!allows({ host, repository }, use)) return { use, repository: `${host}/${repository}` }
    }
  }
  return undefined
}
