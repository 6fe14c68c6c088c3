import { z } from 'zod'
import { DocumentError, parseDocument } from '../oci/documents.ts'
import { RegistryError } from './errors.ts'
import { pages } from './links.ts'
import type { RegistryHost } from './registry-host.ts'
import { pullScope } from './scopes.ts'

/** Tags asked for at a time; some registries refuse more than 1000. */
const PAGE_TAGS = 100

/** `tags` is null in some registries for a repository without tags. */
const TagList = z.looseObject({ tags: z.array(z.string()).nullish() })

/** All tags of a repository, in the registry's order; at most `limit`. @throws RegistryError NOT_FOUND */
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
  for await (const { bytes } of pages(registry, request)) {
    for (const tag of tagsIn(bytes, operation, registry.host)) {
      yield tag
      given += 1
      if (given >= limit) return
    }
  }
}

function tagsIn(bytes: Buffer, operation: string, host: string): string[] {
  try {
    return parseDocument(TagList, bytes, 'the list of tags').tags ?? []
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    throw new RegistryError('INVALID_RESPONSE', { operation, host, why: `answered: ${error.message}` })
  }
}
