import { Caller } from '../../src/access/caller.ts'
import { RepositoryPatterns } from '../../src/access/repository-patterns.ts'
import { SCOPES, type Scope } from '../../src/access/scope.ts'
import { ProjectScope } from '../../src/db/project-scope.ts'
import type { CallerSource } from '../../src/http/access/caller-source.ts'

/**
 * Accepts the name of a project as the bearer token of a caller in it with all scopes but `admin`. Others follow the
 * name and a slash: `team-a/records:read,records:write`. The token `admin` is that of an administrator.
 * @param patterns of the repositories that the callers may read and write; default: all
 */
export function projectCallers(patterns: readonly string[] = ['**']): CallerSource {
  const allowed = new RepositoryPatterns(patterns)
  return {
    identify: async (presented) => {
      if (presented.kind !== 'bearer') return undefined
      const [project = '', scopes] = presented.secret.split('/')
      const isAdmin = project === 'admin'
      const granted = scopes?.split(',') ?? (isAdmin ? SCOPES : SCOPES.filter((scope) => scope !== 'admin'))
      return new Caller({
        identity: { kind: 'token', subject: project },
        scopes: granted as Scope[],
        projectScope: isAdmin ? ProjectScope.ALL : ProjectScope.of(project),
        access: { read: [allowed], write: [allowed] },
      })
    },
  }
}
