import { z } from 'zod'
import { DEFAULT_PROJECT } from '../../db/project-scope.ts'
import type { Grant } from '../granted-caller.ts'
import { ProjectName, RepositoryPatternList } from '../projects/project.ts'
import { Scope } from '../scope.ts'

/** The fields of a policy that say what its callers may do. */
export const GrantFields = {
  project: ProjectName.default(DEFAULT_PROJECT),
  scopes: z.array(Scope).min(1),
  read: RepositoryPatternList.default(['**']),
  write: RepositoryPatternList.default(['**']),
}

/** Reports the fields of a policy that contradict each other. */
export function checkGrant({ project, scopes }: Grant, context: z.RefinementCtx): void {
  if (!scopes.includes('admin') || project === DEFAULT_PROJECT) return
  const message = 'an administrator works in all projects: omit the project, or the scope admin'
  context.addIssue({ code: 'custom', path: ['project'], message })
}
