import type { Caller } from '../../access/caller.ts'
import { isDigest } from '../../oci/digest.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { fieldError } from '../problem.ts'
import { firstRefused } from './project-placement.ts'

/**
 * Checks that a caller may read the image that it names, in whatever registry that is.
 * @param image a reference, or a digest, which names no repository
 * @param path of the field
 * @throws HttpError REPOSITORY_NOT_ALLOWED
 */
export function assertImageReadable(
  image: string | undefined,
  path: string,
  { caller, names }: { readonly caller: Caller; readonly names: HostNames },
): void {
  if (image === undefined || isDigest(image)) return
  const refused = firstRefused({ read: [image] }, caller.access, names)
  if (!refused) return
  const message = `this project, or the credential of the request, may not read ${refused.repository}; an administrator can extend its \`read\` patterns`
  throw fieldError(403, 'REPOSITORY_NOT_ALLOWED', path, message)
}
