import type { Caller } from '../../access/caller.ts'
import { ProjectName } from '../../access/projects/project.ts'
import { ProjectScope } from '../../db/project-scope.ts'

/** The filter of a listing by project. */
export const ProjectQuery = {
  project: ProjectName.optional().describe(
    'Only those of this project. Default: all that the caller sees: an administrator those of all projects, others those of their own.',
  ),
}

/** No project has an empty name, so that this scope sees nothing. */
const NOTHING = ProjectScope.of('')

/** Returns what a listing shows: to the caller, a project that it does not see is like one that does not exist. */
export function listedScope({ projectScope }: Caller, project: string | undefined): ProjectScope {
  if (project === undefined) return projectScope
  return projectScope.includes(project) ? ProjectScope.of(project) : NOTHING
}
