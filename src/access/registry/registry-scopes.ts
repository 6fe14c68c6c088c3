import type { HostNames } from '../../oci/host-names.ts'
import { parseRepository } from '../../oci/reference.ts'
import type { Caller } from '../caller.ts'
import { repositoryRule } from '../registries/project-rule.ts'
import { EMBEDDED_HOST, RepositoryPatterns } from '../repository-patterns.ts'

/** What a client of the registry may do with a repository, as in Docker's token authentication. */
export const REGISTRY_ACTIONS = ['pull', 'push', 'delete'] as const
export type RegistryAction = (typeof REGISTRY_ACTIONS)[number]

/** What a token of the registry allows. */
export type RegistryGrant = {
  /** The list of all repositories that its caller may read. */
  readonly catalog: boolean
  readonly repositories: ReadonlyMap<string, readonly RegistryAction[]>
}

/** More than docker requests at a time: one for each repository that a push mounts layers from. */
const MAX_SCOPES = 64
/** A repository has up to 255 characters. */
const MAX_SCOPE_LENGTH = 400
/** Together, so that the token fits into a header. */
const MAX_SCOPES_LENGTH = 6000

/** A request for a token is malformed. */
export class InvalidScopeError extends Error {
  override readonly name = 'InvalidScopeError'
}

/**
 * Decides which of the requested scopes a caller gets. Those that it may not have, and those of unknown types, are
 * left out: the registry then refuses what needs them.
 * @param scopes as in the query: each has one or more scopes, such as `repository:team/app:pull,push`
 * @param names the names of the registry
 * @throws InvalidScopeError if there are too many, or one is too long
 */
export function grantScopes(caller: Caller, scopes: readonly string[], names: HostNames): RegistryGrant {
  const requested = scopes.flatMap((text) => text.split(' ')).filter((scope) => scope !== '')
  if (requested.length > MAX_SCOPES) throw new InvalidScopeError(`expected up to ${MAX_SCOPES} scopes`)
  if (requested.some(({ length }) => length > MAX_SCOPE_LENGTH)) {
    throw new InvalidScopeError(`expected scopes of up to ${MAX_SCOPE_LENGTH} characters`)
  }
  if (requested.join(' ').length > MAX_SCOPES_LENGTH) {
    throw new InvalidScopeError(`expected scopes of up to ${MAX_SCOPES_LENGTH} characters together`)
  }
  const repositories = new Map<string, readonly RegistryAction[]>()
  for (const scope of requested) {
    const [, name = '', actions = ''] = /^repository(?:\([a-z]+\))?:([^:]+):([a-z,*]*)$/.exec(scope) ?? []
    if (!isRepository(name)) continue
    const wanted = new Set<string>(actions.split(','))
    for (const action of repositories.get(name) ?? []) wanted.add(action)
    const granted = REGISTRY_ACTIONS.filter(
      (action) => (wanted.has(action) || wanted.has('*')) && mayUse(caller, name, action, names),
    )
    if (granted.length > 0) repositories.set(name, granted)
  }
  const catalog = caller.has('registry:pull') && requested.includes('registry:catalog:*')
  return { catalog, repositories }
}

/**
 * Whether a caller may do something with a repository of the registry. Its patterns mean what they mean for every other
 * registry: whoever may write a repository may also read it. Patterns to write count only for callers that may push.
 */
export function mayUse(
  caller: Caller,
  repository: string,
  action: RegistryAction,
  names: HostNames,
): boolean {
  const location = { host: names.hosts[0] ?? EMBEDDED_HOST, repository }
  const { read, write } = caller.access
  const allows = repositoryRule(
    { read, write: caller.has('registry:push') ? write : [RepositoryPatterns.NOTHING] },
    names,
  )
  return action === 'pull'
    ? caller.has('registry:pull') && allows(location, 'read')
    : allows(location, 'write')
}

function isRepository(name: string): boolean {
  try {
    parseRepository(name)
    return true
  } catch {
    return false
  }
}
