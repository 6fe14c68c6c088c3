import { z } from 'zod'
import { RegistryError } from './errors.ts'
import type { RegistryHost } from './host.ts'
import { paginate } from './pagination.ts'
import { parseResponse } from './transport/invalid-response.ts'

const PAGE_REPOSITORIES = 100
/** What token servers of the distribution project call it. */
const CATALOG_SCOPE = 'registry:catalog:*'
/** How registries say that they have no catalogue, or none for everybody. */
const WITHOUT = new Set([401, 403, 404, 405])

const Catalog = z.looseObject({ repositories: z.array(z.string()).nullable() })

/**
 * All repositories of a registry, in its order (Docker Registry HTTP API V2, "Listing Repositories"; the
 * distribution-spec has no such call, and hosted registries often have none).
 * @throws RegistryError DENIED where there is no catalogue
 */
export async function* listRepositories(
  registry: RegistryHost,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const operation = 'list the repositories'
  const request = {
    operation,
    method: 'GET' as const,
    url: `/v2/_catalog?n=${PAGE_REPOSITORIES}`,
    scopes: [CATALOG_SCOPE],
    expect: [200],
    signal,
  }
  const place = { operation, host: registry.host }
  try {
    for await (const page of paginate(registry, request)) {
      yield* parseResponse(Catalog, page, 'the catalogue', place).repositories ?? []
    }
  } catch (error) {
    throw catalogError(error, operation, registry.host)
  }
}

function catalogError(error: unknown, operation: string, host: string): unknown {
  const isNone = error instanceof RegistryError && WITHOUT.has(error.status ?? 0)
  // A list that broke off has a catalogue behind it.
  if (!isNone || error.code === 'INVALID_RESPONSE') return error
  return new RegistryError('DENIED', {
    operation,
    host,
    why: `does not list its repositories to this broker; name one, or mend this: it ${error.why}`,
    status: error.status,
    cause: error,
  })
}
