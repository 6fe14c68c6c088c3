import { z } from 'zod'
import { ProjectScope } from '../../db/project-scope.ts'
import { CALLER_KINDS, Caller, EVERYTHING, type RepositoryAccess } from '../caller.ts'
import { EMBEDDED_HOST, RepositoryPatterns } from '../repository-patterns.ts'
import { Scope } from '../scope.ts'
import { REGISTRY_ACTIONS, type RegistryGrant } from './registry-scopes.ts'

/** Patterns larger than this do not fit into a header. Their caller gets no catalog, but what it names. */
const MAX_PATTERNS_LENGTH = 3000
const REGISTRY_SCOPES = ['registry:pull', 'registry:push'] as const

/** What a token of the registry says about its caller. */
export const RegistryClaims = z.object({
  sub: z.string(),
  kind: z.enum(CALLER_KINDS),
  /** The issuer of an OIDC token. */
  idp: z.string().optional(),
  tokenId: z.string().optional(),
  project: z.string(),
  seesAll: z.boolean(),
  scopes: z.array(Scope),
  /** What it may do with repositories that it named: Docker's form. `*`: what the patterns of its project allow. */
  access: z.union([
    z.literal('*'),
    z.array(
      z.object({
        type: z.literal('repository'),
        name: z.string(),
        actions: z.array(z.enum(REGISTRY_ACTIONS)),
      }),
    ),
  ]),
  /** The patterns of the repositories that it may list, and so read. */
  readable: z.array(z.array(z.string())).optional(),
})
export type RegistryClaims = z.infer<typeof RegistryClaims>

export function claimsOf(caller: Caller, { catalog, repositories }: RegistryGrant): RegistryClaims {
  const { identity, projectScope, access } = caller
  const readable = access.read.map(({ texts }) => [...texts])
  const isListed = catalog && JSON.stringify(readable).length <= MAX_PATTERNS_LENGTH
  return {
    sub: identity.subject,
    kind: identity.kind,
    ...(identity.issuer !== undefined && { idp: identity.issuer }),
    ...(identity.tokenId !== undefined && { tokenId: identity.tokenId }),
    project: projectScope.project,
    seesAll: projectScope.seesAll,
    // Never `admin`: a token of the registry opens nothing else.
    scopes: REGISTRY_SCOPES.filter((scope) => caller.has(scope)),
    access: [...repositories].map(([name, actions]) => ({ type: 'repository', name, actions: [...actions] })),
    ...(isListed && { readable }),
  }
}

/** The claims of the broker's own processes. */
export function workerClaims({ project, seesAll }: ProjectScope): RegistryClaims {
  return { sub: 'worker', kind: 'worker', project, seesAll, scopes: [...REGISTRY_SCOPES], access: '*' }
}

/** The caller to whom a token was given. The patterns of its project are applied later, as to every caller. */
export function callerOf(claims: RegistryClaims): Caller {
  const { kind, sub: subject, idp: issuer, tokenId, project, seesAll, scopes } = claims
  return new Caller({
    identity: { kind, subject, issuer, tokenId },
    scopes,
    projectScope: seesAll ? ProjectScope.ALL : ProjectScope.of(project),
    access: accessOf(claims),
  })
}

function accessOf({ access, readable }: RegistryClaims): RepositoryAccess {
  if (access === '*') return EVERYTHING
  const allowing = (isGranted: (actions: readonly string[]) => boolean) =>
    new RepositoryPatterns(
      access.filter(({ actions }) => isGranted(actions)).map(({ name }) => `${EMBEDDED_HOST}/${name}`),
    )
  const pulled = allowing((actions) => actions.includes('pull'))
  return {
    // It may also read what it was granted by its patterns to write.
    read: readable?.map((texts) => new RepositoryPatterns([...texts, ...pulled.texts])) ?? [pulled],
    write: [allowing((actions) => actions.includes('push') || actions.includes('delete'))],
  }
}
