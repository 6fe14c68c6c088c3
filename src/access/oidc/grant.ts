import { z } from 'zod'
import { DEFAULT_PROJECT, ProjectScope } from '../../db/project-scope.ts'
import { Caller, type CallerIdentity } from '../caller.ts'
import { ProjectName, RepositoryPatternList } from '../projects/project.ts'
import { RepositoryPatterns } from '../repository-patterns.ts'
import { Scope } from '../scope.ts'

/** The fields of a policy that say what its callers may do. */
export const GrantFields = {
  project: ProjectName.default(DEFAULT_PROJECT),
  scopes: z.array(Scope).min(1),
  read: RepositoryPatternList.default(['**']),
  write: RepositoryPatternList.default(['**']),
}

/** What a policy gives to its callers. The rules of the project restrict it further. */
export type Grant = {
  readonly project: string
  readonly scopes: readonly Scope[]
  readonly read: readonly string[]
  readonly write: readonly string[]
}

/** Reports the fields of a policy that contradict each other. */
export function checkGrant({ project, scopes }: Grant, context: z.RefinementCtx): void {
  if (!scopes.includes('admin') || project === DEFAULT_PROJECT) return
  const message = 'an administrator works in all projects: omit the project, or the scope admin'
  context.addIssue({ code: 'custom', path: ['project'], message })
}

/** Returns the caller that a policy admits. */
export function grantedCaller({ project, scopes, read, write }: Grant, identity: CallerIdentity): Caller {
  return new Caller({
    identity,
    scopes,
    projectScope: scopes.includes('admin') ? ProjectScope.ALL : ProjectScope.of(project),
    access: { read: [new RepositoryPatterns(read)], write: [new RepositoryPatterns(write)] },
  })
}
