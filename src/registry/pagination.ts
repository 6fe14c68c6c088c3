import { RegistryError } from './errors.ts'
import type { RegistryHost, RegistryRequest } from './registry-host.ts'
import type { BufferedResponse } from './transport/invalid-response.ts'
import type { RegistryResponse } from './transport/registry-response.ts'
import { assertJsonBounds, boundExceeded } from './transport/response-bounds.ts'

/** The maximum size of one page: a registry without pagination returns the whole list. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024

/**
 * Yields the pages of a list by following `Link: <…>; rel="next"` (RFC 8288) within the registry's own
 * origin.
 * @throws RegistryError INVALID_RESPONSE for a link to another origin or to an earlier page; LIMIT_EXCEEDED
 */
export async function* paginate(
  registry: RegistryHost,
  firstRequest: RegistryRequest,
): AsyncGenerator<BufferedResponse> {
  const { bounds } = registry
  const visited = new Set<string>()
  let request = firstRequest
  let listBytes = 0
  for (let page = 1; ; page++) {
    const { response, bytes } = await readPage(registry, request, page)
    listBytes += bytes.length
    if (listBytes > bounds.maxListBytes)
      throw boundExceeded(bounds, 'maxListBytes', 'responded with too long a list', request)
    if (response.status === 200) assertJsonBounds(bytes, bounds, request)
    yield { response, bytes }
    const link = nextLink(response)
    if (link === undefined) return
    const url = registry.resolveAddress(link, response.url, request.operation, 'Link')
    if (url.origin !== registry.base.origin)
      throw invalidList(request, 'responded with a list that continues on another host')
    if (visited.has(url.href))
      throw invalidList(request, 'responded with a list that links back to an earlier page')
    if (page >= bounds.maxPages)
      throw boundExceeded(bounds, 'maxPages', 'responded with a list of too many pages', request)
    visited.add(url.href)
    request = { ...firstRequest, url, expect: [200] }
  }
}

/**
 * Reads a page. A linked page that does not exist makes the list incomplete; it does not mean that there is
 * no list.
 */
async function readPage(
  registry: RegistryHost,
  request: RegistryRequest,
  page: number,
): Promise<BufferedResponse> {
  try {
    return await registry.read(request, MAX_PAGE_BYTES)
  } catch (error) {
    if (page === 1 || !(error instanceof RegistryError && error.code === 'NOT_FOUND')) throw error
    const reason = `responded with a list whose page ${page} does not exist: it ${error.reason}`
    throw new RegistryError('INVALID_RESPONSE', { ...error, reason, cause: error })
  }
}

const NEXT_RELATION = /^rel\s{0,9}=\s{0,9}"?next"?$/i

/** Returns the target with the relation `next` of the Link headers (RFC 8288). */
function nextLink(response: RegistryResponse): string | undefined {
  for (const header of response.headers('link')) {
    // A target contains no `<` and ends at `>`; its parameters end where the next target starts.
    for (const link of header.split('<').slice(1)) {
      const end = link.indexOf('>')
      const [target, parameters] = end < 0 ? [link, ''] : [link.slice(0, end), link.slice(end + 1)]
      if (parameters.split(/[;,]/).some((parameter) => NEXT_RELATION.test(parameter.trim()))) return target
    }
  }
  return undefined
}

function invalidList({ operation, host }: RegistryRequest, reason: string): RegistryError {
  return new RegistryError('INVALID_RESPONSE', { operation, host, reason })
}
