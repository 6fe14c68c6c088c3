import { DEFAULT_PROJECT } from '../../db/project-scope.ts'

/**
 * The idempotency key of a project's request as it is stored, so that two projects may choose the same one. Those of
 * the default project are stored as they are. The keys of clients contain no space.
 */
export function storedRequestKey(project: string, key: string): string {
  return project === DEFAULT_PROJECT ? key : `${project} ${key}`
}
