import { type Endpoint, parseEndpoint } from '../endpoint.ts'
import { DistributionError } from '../errors.ts'
import type { Sender } from './sender.ts'

export const READING_METHODS = ['GET', 'HEAD']

/**
 * Returns the scope that a request needs, as in Docker's token authentication: `repository:team/app:pull`. Undefined
 * if any credential suffices.
 */
function requiredScope(method: string, endpoint: Endpoint): string | undefined {
  if (endpoint.kind === 'base') return undefined
  if (endpoint.kind === 'catalog') return 'registry:catalog:*'
  return repositoryScope(endpoint.repository, actionsOf(method, endpoint))
}

function repositoryScope(repository: string, actions: string): string {
  return `repository:${repository}:${actions}`
}

/**
 * Returns the scope that a request to the registry needs, for a challenge; undefined if it needs none, or is invalid.
 * @param path after `/v2/`, decoded
 */
export function scopeOfRequest(method: string, path: string): string | undefined {
  try {
    return requiredScope(method, parseEndpoint(path))
  } catch (error) {
    if (error instanceof DistributionError) return undefined
    throw error
  }
}

function actionsOf(method: string, endpoint: Endpoint): string {
  // The state of an upload is part of a push.
  const isUpload = endpoint.kind === 'upload' || endpoint.kind === 'uploads'
  if (READING_METHODS.includes(method) && !isUpload) return 'pull'
  return method === 'DELETE' && !isUpload ? 'delete' : 'pull,push'
}

/**
 * Checks that the sender may do what it requests. The answer depends on the name of the repository, and not on
 * whether it exists.
 * @throws DistributionError UNAUTHORIZED (401) if another credential may help, DENIED (403)
 */
export function assertAllowed(sender: Sender, method: string, endpoint: Endpoint): void {
  if (endpoint.kind === 'base' || endpoint.kind === 'catalog') return
  const { repository } = endpoint
  const actions = actionsOf(method, endpoint)
  const isPull = actions === 'pull'
  if (isPull ? sender.mayPull(repository) : sender.mayPush(repository)) return
  const challenge = sender.challenge(repositoryScope(repository, actions))
  const needed = isPull ? 'pull from' : 'push to'
  if (challenge !== undefined) {
    const headers = { 'www-authenticate': challenge }
    throw new DistributionError('UNAUTHORIZED', 401, `the token may not ${needed} ${repository}`, { headers })
  }
  throw new DistributionError(
    'DENIED',
    403,
    `this credential may not ${needed} ${repository}; its scopes and patterns, and those of its project, decide`,
  )
}
