/** Token scopes of the distribution project's token authentication: `repository:NAME:ACTION[,ACTION]`. */

/** To read from a repository. */
export function pullScope(repository: string): string {
  return `repository:${repository}:pull`
}

/** To write to a repository. */
export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`
}

/** To delete from a repository, which includes reading what is deleted and keeping its referrers. */
export function deleteScope(repository: string): string {
  return `repository:${repository}:pull,push,delete`
}

/** One scope for each resource, with all its actions; those that write come first, for some servers read one only. */
export function mergeScopes(scopes: readonly string[]): string[] {
  const actions = new Map<string, Set<string>>()
  for (const scope of scopes) {
    const colon = scope.lastIndexOf(':')
    const resource = scope.slice(0, colon)
    const known = actions.get(resource) ?? new Set()
    for (const action of scope.slice(colon + 1).split(',')) known.add(action)
    actions.set(resource, known)
  }
  const merged = [...actions].map(([resource, named]) => `${resource}:${[...named].join(',')}`)
  return merged.sort((one, other) => Number(writes(other)) - Number(writes(one)))
}

function writes(scope: string): boolean {
  return /[:,](push|delete|\*)/.test(scope)
}
