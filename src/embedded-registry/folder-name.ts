import { parseRepository } from '../oci/reference.ts'

/**
 * Returns the folder name of a repository: `/` becomes `+`, which repository names do not contain, so that
 * the folders are siblings and never nested. At most 255 bytes, the limit of file systems. Validates the name
 * again, although requests were validated: no path is ever built from anything but a valid name.
 * @throws InvalidReferenceError
 */
export function folderName(repository: string): string {
  return parseRepository(repository).replaceAll('/', '+')
}

/** Returns the repository of a folder name. */
export function repositoryOfFolder(folder: string): string {
  return folder.replaceAll('+', '/')
}
