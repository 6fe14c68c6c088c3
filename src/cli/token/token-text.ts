import type { ResponseDocument } from '../../client/broker-request.ts'

export type Token = ResponseDocument<'get', '/v1/tokens/{id}'>

/** Describes a token for people. */
export function tokenText(token: Token): string {
  const { id, prefix, name, project, createdAt, createdBy, usedAt } = token
  return [
    `${id} ${prefix}… ${name}, of ${project} (${stateText(token)})`,
    `  ${rightsText(token)}`,
    `  created ${createdAt} by ${createdBy}; ${usedAt === undefined ? 'not used yet' : `last used ${usedAt}`}`,
    '',
  ].join('\n')
}

/** Describes how long a token is valid. */
export function stateText({ state, expiresAt, revokedAt, successor }: Token): string {
  const next = successor === undefined ? '' : `, replaced by ${successor}`
  if (state === 'revoked') return `revoked ${revokedAt}${next}`
  if (state === 'expired') return `expired ${expiresAt}${next}`
  return `${expiresAt === undefined ? 'does not expire' : `expires ${expiresAt}`}${next}`
}

/** Describes what a token allows. */
export function rightsText({ scopes, read, write }: Pick<Token, 'scopes' | 'read' | 'write'>): string {
  // The rules of a project do not restrict administrators, who work in all of them.
  const isAdmin = scopes.includes('admin')
  const text = (patterns: readonly string[]) =>
    patterns.includes('**')
      ? `everything that its ${isAdmin ? 'broker' : 'project'} may`
      : patternsText(patterns)
  return `${scopes.join(', ')}; reads ${text(read)}; writes ${text(write)}`
}

/** Describes patterns of repositories. */
export function patternsText(patterns: readonly string[]): string {
  return patterns.length === 0 ? 'nothing' : patterns.join(', ')
}
