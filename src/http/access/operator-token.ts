import { createHash, timingSafeEqual } from 'node:crypto'
import { Caller } from '../../access/caller.ts'
import { RepositoryPatterns } from '../../access/repository-patterns.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { CallerSource } from './caller-source.ts'

const OPERATOR = new Caller({
  identity: { kind: 'operator', subject: 'operator' },
  scopes: ['admin'],
  projectScope: ProjectScope.ALL,
  access: { read: [RepositoryPatterns.EVERYTHING], write: [RepositoryPatterns.EVERYTHING] },
})

/** Accepts the token of the settings, which makes its caller the administrator. */
export function operatorToken(token: string): CallerSource {
  const expected = sha256(token)
  return {
    identify: async (presented) =>
      presented.kind !== 'none' && timingSafeEqual(sha256(presented.secret), expected) ? OPERATOR : undefined,
  }
}

/** Hashes of equal length are compared, so that the response time reveals nothing about the token. */
function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
