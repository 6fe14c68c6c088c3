import { RegistryError } from './errors.ts'

/**
 * What an operation does with a repository. Reading: manifests, blobs, tags, referrers, and the source of a mount.
 * Writing: uploads, the target of a mount, manifests, tags and deletions, with the reads that belong to them.
 */
export type RepositoryUse = 'read' | 'write'

/** Which repositories a client may use. Hosts have the names that references have. */
export type RepositoryRule = (
  location: { readonly host: string; readonly repository: string },
  use: RepositoryUse,
) => boolean

/** The error for a repository that is outside the patterns of a project or of a credential. */
export function repositoryNotAllowed(
  { host, repository }: { readonly host: string; readonly repository: string },
  use: RepositoryUse,
  operation: string,
): RegistryError {
  return new RegistryError('REPOSITORY_NOT_ALLOWED', {
    operation,
    host,
    reason: `was not asked: this project, or the credential of the request, may not ${use} ${host}/${repository}; an administrator can extend its \`${use}\` patterns`,
  })
}
