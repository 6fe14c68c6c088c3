import type { Selectable } from 'kysely'
import { z } from 'zod'
import type { ApiTokensTable } from '../../db/tables.ts'
import { RepositoryPatternList } from '../projects/project.ts'
import { Scope } from '../scope.ts'

/** What a token allows within its project. */
export type TokenRights = {
  readonly project: string
  readonly scopes: readonly Scope[]
  /** The repositories that it may read and write, of those that its project may. */
  readonly read: readonly string[]
  readonly write: readonly string[]
}

/** Whether a token is accepted, and if not, why. */
export const TOKEN_STATES = ['usable', 'expired', 'revoked'] as const
export type TokenState = (typeof TOKEN_STATES)[number]

/** A stored API token. The secret itself is not stored. Times are in milliseconds since 1970. */
export type ApiToken = TokenRights & {
  readonly id: string
  readonly name: string
  /** The beginning of the secret, by which people tell tokens apart. */
  readonly prefix: string
  /** Who created it, for people. */
  readonly createdBy: string
  readonly createdAt: number
  readonly expiresAt: number | undefined
  /** The last use, to the minute. */
  readonly usedAt: number | undefined
  readonly revokedAt: number | undefined
  /** The id of the token that took its place. */
  readonly successor: string | undefined
}

/** The columns of a token but its hash. */
export const TOKEN_COLUMNS = [
  'id',
  'project',
  'name',
  'document',
  'created_at',
  'expires_at',
  'used_at',
  'revoked_at',
  'successor',
] as const satisfies readonly (keyof ApiTokensTable)[]

/** The fields of a token that no query looks at. */
const Document = z.object({
  prefix: z.string(),
  scopes: z.array(Scope),
  read: RepositoryPatternList,
  write: RepositoryPatternList,
  createdBy: z.string(),
})

/** Formats the fields of a token that no query looks at. */
export function tokenDocument(fields: z.input<typeof Document>): string {
  return JSON.stringify(Document.parse(fields))
}

export function toToken(row: Omit<Selectable<ApiTokensTable>, 'hash'>): ApiToken {
  return {
    id: row.id,
    project: row.project,
    name: row.name,
    ...Document.parse(JSON.parse(row.document)),
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    usedAt: row.used_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    successor: row.successor ?? undefined,
  }
}

/** The state of a token at a time. */
export function tokenState(
  { revokedAt, expiresAt }: Pick<ApiToken, 'revokedAt' | 'expiresAt'>,
  now: number,
): TokenState {
  if (revokedAt !== undefined) return 'revoked'
  return expiresAt !== undefined && expiresAt <= now ? 'expired' : 'usable'
}
