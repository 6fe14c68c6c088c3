/** What a token permits in a repository. Each kind of access includes the ones before it. */
export type RepositoryAccess = 'pull' | 'push' | 'delete'

/** Deleting a manifest includes reading it and updating the fallback list of its subject. */
const ACTIONS: Readonly<Record<RepositoryAccess, string>> = {
  pull: 'pull',
  push: 'pull,push',
  delete: 'pull,push,delete',
}

/** Returns a token scope, `repository:NAME:ACTION[,ACTION]` (distribution, "Token Scope Documentation"). */
export function repositoryScope(repository: string, access: RepositoryAccess): string {
  return `repository:${repository}:${ACTIONS[access]}`
}

/**
 * Merges scopes to one per resource. Scopes that write come first: some token servers read only the first
 * scope.
 */
export function mergeScopes(scopes: readonly string[]): string[] {
  const actionsByResource = new Map<string, Set<string>>()
  for (const scope of scopes) {
    const colon = scope.lastIndexOf(':')
    const resource = scope.slice(0, colon)
    const actions = actionsByResource.get(resource) ?? new Set()
    for (const action of scope.slice(colon + 1).split(',')) actions.add(action)
    actionsByResource.set(resource, actions)
  }
  const merged = [...actionsByResource].map(([resource, actions]) => `${resource}:${[...actions].join(',')}`)
  return merged.sort((a, b) => Number(isWriteScope(b)) - Number(isWriteScope(a)))
}

function isWriteScope(scope: string): boolean {
  return /[:,](push|delete|\*)/.test(scope)
}
