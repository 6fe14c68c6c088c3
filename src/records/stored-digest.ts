import { projectKey } from '../db/project-scope.ts'
import type { Digest } from '../oci/digest.ts'

/**
 * Returns the digest of a record as it is stored: projects have records of their own with the same digest, image
 * and workload, which are the key of the table.
 */
export function storedDigest(digest: Digest, project: string): string {
  return projectKey(project, digest)
}

/** Returns the digest of a record from a stored one. */
export function digestOfStored(stored: string): Digest {
  return stored.slice(stored.indexOf(' ') + 1) as Digest
}
