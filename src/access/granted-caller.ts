import { ProjectScope } from '../db/project-scope.ts'
import { Caller, type CallerIdentity } from './caller.ts'
import { RepositoryPatterns } from './repository-patterns.ts'
import type { Scope } from './scope.ts'

/** What a policy or a token gives to its callers. The rules of the project restrict it further. */
export type Grant = {
  readonly project: string
  readonly scopes: readonly Scope[]
  readonly read: readonly string[]
  readonly write: readonly string[]
}

/** Returns the caller that a policy or a token admits. */
export function grantedCaller({ project, scopes, read, write }: Grant, identity: CallerIdentity): Caller {
  return new Caller({
    identity,
    scopes,
    projectScope: scopes.includes('admin') ? ProjectScope.ALL : ProjectScope.of(project),
    access: { read: [new RepositoryPatterns(read)], write: [new RepositoryPatterns(write)] },
  })
}
