import { parseRepository } from '../oci/reference.ts'

/**
 * The name of a repository's folder: `/` becomes `+`, which no repository name has, so the folders lie
 * side by side and one name cannot lie inside another. At most 255 bytes, the limit of file systems. The name
 * is parsed again here, though requests were: no path is ever made of anything else.
 * @throws InvalidReference
 */
export function folderName(repository: string): string {
  return parseRepository(repository).replaceAll('/', '+')
}

/** The repository that a folder's name stands for. */
export function repositoryOf(folder: string): string {
  return folder.replaceAll('+', '/')
}
