import { z } from 'zod'
import { pullScope } from './auth/scopes.ts'
import type { RegistryHost } from './host.ts'
import { paginate } from './pagination.ts'
import { parseResponse } from './transport/invalid-response.ts'

/** Tags asked for at a time; some registries refuse more than 1000. */
const PAGE_TAGS = 100

/** `tags` is null in some registries for a repository without tags. An answer without `tags` says nothing of them. */
const TagList = z.looseObject({ tags: z.array(z.string()).nullable() })

/** All tags of a repository, in the registry's order; at most `limit`. @throws RegistryError NOT_FOUND, INVALID_RESPONSE */
export async function* listTags(
  registry: RegistryHost,
  repository: string,
  options: { signal?: AbortSignal | undefined; limit?: number },
): AsyncGenerator<string> {
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  if (limit <= 0) return
  const operation = `list the tags of ${repository}`
  const request = {
    operation,
    method: 'GET' as const,
    url: `/v2/${repository}/tags/list?n=${Math.min(PAGE_TAGS, limit)}`,
    scopes: [pullScope(repository)],
    expect: [200],
    signal: options.signal,
  }
  let given = 0
  const place = { operation, host: registry.host }
  for await (const page of paginate(registry, request)) {
    for (const tag of parseResponse(TagList, page, 'the list of tags', place).tags ?? []) {
      yield tag
      given += 1
      if (given >= limit) return
    }
  }
}
