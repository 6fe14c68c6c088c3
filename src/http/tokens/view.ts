import { z } from 'zod'
import { ProjectName, RepositoryPatternText } from '../../access/projects/project.ts'
import { Scope } from '../../access/scope.ts'
import { type ApiToken, TOKEN_STATES, tokenState } from '../../access/tokens/api-token.ts'
import type { NewToken } from '../../access/tokens/token-store.ts'
import { isoTime, Timestamp } from '../parameters.ts'

export const TokenView = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().describe('The beginning of the secret, by which you can tell tokens apart.'),
    project: ProjectName,
    scopes: z.array(Scope),
    read: z
      .array(RepositoryPatternText)
      .describe('The repositories that it may read, of those of its project.'),
    write: z
      .array(RepositoryPatternText)
      .describe('The repositories that it may write and delete, of those of its project.'),
    state: z.enum(TOKEN_STATES).describe('Only a usable token is accepted.'),
    createdBy: z.string().describe('Who created the token.'),
    createdAt: Timestamp,
    expiresAt: Timestamp.optional().describe('When it expires, or has expired. Missing: it does not.'),
    usedAt: Timestamp.optional().describe('The last use, to the minute.'),
    revokedAt: Timestamp.optional(),
    successor: z.string().optional().describe('The id of the token that took its place.'),
  })
  .meta({ id: 'ApiToken', description: 'An API token without its secret.' })

export const NewTokenView = z
  .object({
    ...TokenView.shape,
    token: z.string().describe('The secret. The broker stores a hash of it, and cannot show it again.'),
  })
  .meta({ id: 'NewApiToken', description: 'An API token with its secret, which is shown once.' })

export const TokenPage = z
  .object({ items: z.array(TokenView), next: z.string().optional() })
  .meta({ id: 'ApiTokenPage', description: 'A page of API tokens.' })

export function tokenView(token: ApiToken): z.output<typeof TokenView> {
  const { id, name, prefix, project, scopes, read, write, createdBy, successor } = token
  return {
    id,
    name,
    prefix,
    project,
    scopes: [...scopes],
    read: [...read],
    write: [...write],
    state: tokenState(token, Date.now()),
    createdBy,
    createdAt: isoTime(token.createdAt),
    ...times(token),
    ...(successor !== undefined && { successor }),
  }
}

function times(token: ApiToken) {
  const names = ['expiresAt', 'usedAt', 'revokedAt'] as const
  return Object.fromEntries(
    names.flatMap((name) => {
      const time = token[name]
      return time === undefined ? [] : [[name, isoTime(time)]]
    }),
  )
}

export function newTokenView({ token, secret }: NewToken): z.output<typeof NewTokenView> {
  return { ...tokenView(token), token: secret }
}
