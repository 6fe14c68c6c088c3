import { z } from 'zod'
import type { Caller } from '../../access/caller.ts'
import { AccessError } from '../../access/errors.ts'
import { type Project, ProjectName, RepositoryPatternList } from '../../access/projects/project.ts'
import { RepositoryPatterns } from '../../access/repository-patterns.ts'
import { SCOPES, Scope } from '../../access/scope.ts'
import type { TokenRights } from '../../access/tokens/api-token.ts'
import {
  LifetimeError,
  MAX_LIFETIME_SECONDS,
  type TokenLifetimes,
} from '../../access/tokens/token-lifetimes.ts'
import { DEFAULT_PROJECT } from '../../db/project-scope.ts'
import { fieldError, type HttpError } from '../problem.ts'

const MAX_OVERLAP_SECONDS = 30 * 86_400

const LifetimeSeconds = z.int().min(1).max(MAX_LIFETIME_SECONDS).nullable().optional()

export const TokenName = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9 ._@:/-]{0,99}$/,
    'expected up to 100 letters, digits, spaces and . _ @ : / -, with a letter or digit first',
  )

export const NewTokenBody = z
  .strictObject({
    name: TokenName.describe('What the token is for.'),
    project: ProjectName.optional().describe(
      'Default: the project of the request, or `default`. Required if the request works in no single project and the broker has others than `default`, except for the scope `admin`.',
    ),
    scopes: z.array(Scope).min(1).max(SCOPES.length),
    read: RepositoryPatternList.default(['**']).describe(
      'The repositories that it may read, of those that its project may read.',
    ),
    write: RepositoryPatternList.default(['**']).describe(
      'The repositories that it may write and delete, of those that its project may.',
    ),
    lifetimeSeconds: LifetimeSeconds.describe(
      'The time until it expires; `null`: it does not. Default: 90 days, or `RECORD_BROKER_TOKEN_MAX_DAYS` if that is less.',
    ),
  })
  .meta({
    id: 'ApiTokenRequest',
    description: 'A new API token.',
    examples: [{ name: 'ci of team-a', project: 'team-a', scopes: ['records:write', 'conversions:write'] }],
  })

export const RotationBody = z
  .strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(MAX_OVERLAP_SECONDS)
      .default(86_400)
      .describe('How long the former token remains valid; 0: not at all.'),
    lifetimeSeconds: LifetimeSeconds.describe(
      'The time until the new token expires; `null`: it does not. Default: as long as the former one from its creation.',
    ),
  })
  .meta({
    id: 'ApiTokenRotation',
    description: 'How to replace an API token.',
    examples: [{ overlapSeconds: 3600 }],
  })

/** Returns a lifetime in milliseconds; undefined for ever. @throws HttpError that names the field */
export function resolveLifetime(
  lifetimes: TokenLifetimes,
  seconds: number | null | undefined,
): number | undefined {
  try {
    return lifetimes.resolve(typeof seconds === 'number' ? seconds * 1000 : seconds)
  } catch (error) {
    if (!(error instanceof LifetimeError)) throw error
    throw fieldError(422, 'LIMIT_EXCEEDED', 'body.lifetimeSeconds', error.message)
  }
}

/** Returns the error for a token whose project is a guess: the default one often reaches what belongs to all others. */
export function projectRequired(): HttpError {
  const message = `this broker has several projects: say which one the token is for, such as ${DEFAULT_PROJECT}, whose rules reach every repository unless they were changed`
  return fieldError(400, 'PROJECT_REQUIRED', 'body.project', message)
}

/**
 * Makes sure that a token does not have more rights than the administrator who creates it.
 * @throws HttpError, AccessError
 */
export function assertWithinCaller(
  { project: name, scopes, read, write }: TokenRights,
  caller: Caller,
  project: Pick<Project, 'readable' | 'writable'>,
): void {
  const denied = (message: string) => new AccessError('ACCESS_DENIED', message)
  if (!caller.projectScope.includes(name)) {
    throw denied(`this request works in the project ${caller.project}: it creates no token of ${name}`)
  }
  if (scopes.includes('admin') && name !== DEFAULT_PROJECT) {
    const message = 'an administrator works in all projects: omit the project, or the scope admin'
    throw fieldError(400, 'INVALID_REQUEST', 'body.project', message)
  }
  if (scopes.includes('admin') && !caller.projectScope.seesAll) {
    throw denied('this request works in one project: it creates no token of an administrator')
  }
  const missing = scopes.find((scope) => !caller.has(scope))
  if (missing !== undefined) throw denied(`your credential does not have the scope ${missing}`)
  const isWithin = (
    outer: readonly RepositoryPatterns[],
    inner: readonly string[],
    ofProject: RepositoryPatterns,
  ) =>
    // A token has no more than its project has.
    outer.every((patterns) => patterns.covers(new RepositoryPatterns(inner)) || patterns.covers(ofProject))
  for (const [field, outer, inner, ofProject] of [
    ['read', caller.access.read, read, project.readable],
    ['write', caller.access.write, write, project.writable],
  ] as const) {
    if (isWithin(outer, inner, ofProject)) continue
    throw denied(`${field}: your credential may ${field} fewer repositories than the token would`)
  }
}
