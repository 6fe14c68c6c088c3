import { DEFAULT_PROJECT, ProjectScope } from '../db/project-scope.ts'
import type { RepositoryAccess } from './caller.ts'
import { RepositoryPatterns } from './repository-patterns.ts'

/**
 * The part of a caller that decides what its request may touch. These are plain values, which one process sends to
 * another. A request may use a repository if each list of patterns allows it.
 */
export type CallerAccess = {
  readonly project: string
  readonly seesAll: boolean
  readonly read: readonly (readonly string[])[]
  readonly write: readonly (readonly string[])[]
}

/** The access of the broker's own work, such as the upkeep of the catalogue. */
export const BROKER_ACCESS: CallerAccess = { project: DEFAULT_PROJECT, seesAll: true, read: [], write: [] }

/** Describes a caller for another process. */
export function serializeAccess({
  projectScope: { project, seesAll },
  access,
}: {
  readonly projectScope: ProjectScope
  readonly access: RepositoryAccess
}): CallerAccess {
  const texts = (sets: readonly RepositoryPatterns[]) => sets.map((patterns) => [...patterns.texts])
  return { project, seesAll, read: texts(access.read), write: texts(access.write) }
}

/** Reads what {@link serializeAccess} wrote. @throws InvalidPatternError */
export function parseAccess({ project, seesAll, read, write }: CallerAccess): {
  readonly projectScope: ProjectScope
  readonly access: RepositoryAccess
} {
  const sets = (lists: CallerAccess['read']) => lists.map((texts) => new RepositoryPatterns(texts))
  return {
    projectScope: seesAll ? ProjectScope.ALL : ProjectScope.of(project),
    access: { read: sets(read), write: sets(write) },
  }
}
