import { z } from 'zod'
import { RegistryError, type RequestContext } from './errors.ts'
import { paginate } from './pagination.ts'
import type { RegistryHost } from './registry-host.ts'
import { parseResponse } from './transport/invalid-response.ts'

const REPOSITORIES_PER_PAGE = 100
/** The scope name used by the token servers of the distribution project. */
const CATALOG_SCOPE = 'registry:catalog:*'
/** Statuses of registries that have no catalog, or do not show it to this user. */
const NO_CATALOG_STATUSES = new Set([401, 403, 404, 405])

const Catalog = z.looseObject({ repositories: z.array(z.string()).nullable() })

/**
 * Yields the repositories of a registry, in its order (Docker Registry HTTP API V2, "Listing Repositories").
 * The distribution-spec has no such endpoint, and hosted registries often lack it.
 * @throws RegistryError DENIED if there is no catalog
 */
export async function* listRepositories(
  registry: RegistryHost,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const request = {
    operation: 'list the repositories',
    host: registry.host,
    method: 'GET' as const,
    url: `/v2/_catalog?n=${REPOSITORIES_PER_PAGE}`,
    scopes: [CATALOG_SCOPE],
    expect: [200],
    signal,
  }
  try {
    for await (const page of paginate(registry, request)) {
      yield* parseResponse(Catalog, page, 'a catalog', request).repositories ?? []
    }
  } catch (error) {
    throw asCatalogError(error, request)
  }
}

function asCatalogError(error: unknown, { operation, host }: RequestContext): unknown {
  const isMissing = error instanceof RegistryError && NO_CATALOG_STATUSES.has(error.status ?? 0)
  // A list with a missing page comes from a catalog that exists.
  if (!isMissing || error.code === 'INVALID_RESPONSE') return error
  return new RegistryError('DENIED', {
    operation,
    host,
    reason: `does not list its repositories for this broker; name a repository, or fix the cause: it ${error.reason}`,
    status: error.status,
    cause: error,
  })
}
