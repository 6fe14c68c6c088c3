import { repositoryRule } from '../../access/registries/project-rule.ts'
import type { Services } from '../../http/services.ts'
import { parseReference } from '../../oci/reference.ts'
import type { RegistryClient } from '../../registry/client.ts'
import { repositoryNotAllowed } from '../../registry/repository-rule.ts'

/** Creates the check of references in requests, before anything is accepted. It sends no request. */
export function createReferenceCheck(
  registries: Pick<RegistryClient, 'repository' | 'names'>,
): Services['assertReferenceAllowed'] {
  return (text, use, caller) => {
    const location = parseReference(text)
    // Fails if the registry is not allowed, whoever the caller is.
    const { host, repository } = registries.repository(location)
    if (!caller) return
    const allows = repositoryRule(caller.access, registries.names)
    if (!allows({ host, repository }, use)) throw repositoryNotAllowed(location, use, `use ${text}`)
  }
}
