import type { FastifyRequest } from 'fastify'
import type { CallerIdentity } from '../../access/caller.ts'
import type { ProjectDirectory } from '../../access/projects/project-directory.ts'
import { mayUse } from '../../access/registry/registry-scopes.ts'
import type { Sender } from '../../embedded-registry/guard/sender.ts'
import type { StorageLimit } from '../../embedded-registry/quota/storage-quota.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { problemOf } from '../problem.ts'
import { describeRegistryRequest } from './registry-audit.ts'
import type { RegistryChallenge } from './registry-challenge.ts'

/** Connects the embedded registry to the callers of this server and to their projects. */
export function registryGuard({
  names,
  projects,
  challenge,
}: {
  /** The names of the registry, in which patterns name it. */
  readonly names: HostNames
  readonly projects: Pick<ProjectDirectory, 'get'>
  readonly challenge: RegistryChallenge
}) {
  const senderOf = (request: FastifyRequest): Sender => {
    const { caller } = request
    return {
      project: caller.project,
      id: idOf(caller.identity),
      mayPull: (repository) => mayUse(caller, repository, 'pull', names),
      mayPush: (repository) => mayUse(caller, repository, 'push', names),
      challenge: (scope) => challenge.forScope(request, scope),
    }
  }
  const storageLimit: StorageLimit = async (project) => (await projects.get(project))?.quotas.storedBytes
  const statusOf = (error: unknown) => (error instanceof Error ? problemOf(error).status : undefined)
  return { senderOf, storageLimit, statusOf, onRequest: describeRegistryRequest }
}

/** The same before and after a client renews its token: a token of the registry names the caller that it is for. */
function idOf({ kind, issuer, subject, tokenId }: CallerIdentity): string {
  return JSON.stringify([kind, issuer, subject, tokenId])
}
