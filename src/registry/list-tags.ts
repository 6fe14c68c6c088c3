import { z } from 'zod'
import { paginate } from './pagination.ts'
import type { RepositorySession } from './repository-session.ts'
import { parseResponse } from './transport/invalid-response.ts'

/** Some registries reject pages of more than 1000 tags. */
const TAGS_PER_PAGE = 100

/** Some registries return null for a repository without tags. A response without `tags` is invalid. */
const TagList = z.looseObject({ tags: z.array(z.string()).nullable() })

/**
 * Yields the tags of a repository, in the registry's order.
 * @param limit of tags; default: all
 * @throws RegistryError NOT_FOUND, INVALID_RESPONSE
 */
export async function* listTags(
  session: RepositorySession,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  if (limit <= 0) return
  const request = session.request({
    operation: `list the tags of ${session.repository}`,
    method: 'GET',
    target: `tags/list?n=${Math.min(TAGS_PER_PAGE, limit)}`,
    expect: [200],
  })
  let count = 0
  for await (const page of paginate(session.registry, request)) {
    for (const tag of parseResponse(TagList, page, 'a list of tags', request).tags ?? []) {
      yield tag
      count += 1
      if (count >= limit) return
    }
  }
}
