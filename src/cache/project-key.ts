import { DEFAULT_PROJECT } from '../db/project-scope.ts'

/** Returns the key of an entry of a project. Keys of the default project are those of before there were projects. */
export function projectKey(project: string, key: string): string {
  return project === DEFAULT_PROJECT ? key : `${project} ${key}`
}
