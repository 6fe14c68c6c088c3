import { Caller, EVERYTHING } from '../../access/caller.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { CallerSource } from './caller-source.ts'
import { secretMatcher } from './secret-matcher.ts'

const OPERATOR = new Caller({
  identity: { kind: 'operator', subject: 'operator' },
  scopes: ['admin'],
  projectScope: ProjectScope.ALL,
  access: EVERYTHING,
})

/** Accepts the token of the settings, which makes its caller the administrator. */
export function operatorToken(token: string): CallerSource {
  const matches = secretMatcher(token)
  return {
    identify: async (presented) =>
      presented.kind !== 'none' && matches(presented.secret) ? OPERATOR : undefined,
  }
}
