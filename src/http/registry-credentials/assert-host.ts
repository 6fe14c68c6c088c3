import { EMBEDDED_HOST } from '../../access/repository-patterns.ts'
import { parseHost, parseReference } from '../../oci/reference.ts'
import { fieldError } from '../problem.ts'
import type { Services } from '../services.ts'

/**
 * Checks that jobs can use a credential for this host: one that nobody ever uses helps nobody.
 * @throws HttpError INVALID_REQUEST; RegistryError HOST_NOT_ALLOWED
 */
export function assertHostUsable(
  named: string,
  { names, assertReferenceAllowed }: Pick<Services, 'names' | 'assertReferenceAllowed'>,
): void {
  const refuse = (message: string) => fieldError(400, 'INVALID_REQUEST', 'params.host', message)
  const host = parseHost(named)
  if (host === EMBEDDED_HOST || names.hosts.includes(host)) {
    throw refuse("the broker's own registry needs no credential: jobs use it with tokens of the broker")
  }
  const image = `${host}/name`
  if (parseReference(image).host !== host) {
    throw refuse('no image can name this host: expected a name with a dot or a port, or localhost')
  }
  assertReferenceAllowed(image, 'read')
}
