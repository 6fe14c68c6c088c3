import { RegistryError } from './errors.ts'
import type { RegistryHost, RegistryRequest } from './host.ts'
import type { RegistryResponse } from './transport/response.ts'
import { boundExceeded, checkJson } from './transport/response-bounds.ts'

/** One page of a list may have this many bytes: registries without paging answer with everything. */
const PAGE_BYTES = 8 * 1024 * 1024

/**
 * The pages of a list, along `Link: <…>; rel="next"` (RFC 8288), which stays at the registry's own origin.
 * @throws RegistryError INVALID_RESPONSE for a link that leads away or back, LIMIT_EXCEEDED
 */
export async function* paginate(
  registry: RegistryHost,
  first: RegistryRequest,
): AsyncGenerator<{ answer: RegistryResponse; bytes: Buffer }> {
  const seen = new Set<string>()
  const { bounds, host } = registry
  const place = { operation: first.operation, host }
  let request = first
  let size = 0
  for (let page = 1; ; page++) {
    const { answer, bytes } = await readPage(registry, request, page)
    size += bytes.length
    if (size > bounds.maxListBytes) throw boundExceeded(bounds, 'maxListBytes', 'has too long a list', place)
    if (answer.status === 200) checkJson(bytes, bounds, place)
    yield { answer, bytes }
    const link = nextLink(answer)
    if (link === undefined) return
    const url = registry.resolve(link, answer.url, request.operation, 'Link')
    if (url.origin !== registry.base.origin) throw wrong(registry, request, 'links its list to another host')
    if (seen.has(url.href)) throw wrong(registry, request, 'has a list that links back to its own pages')
    if (page >= bounds.maxPages)
      throw boundExceeded(bounds, 'maxPages', 'has a list of too many pages', place)
    seen.add(url.href)
    request = { ...first, url, expect: [200] }
  }
}

/** A page that was linked to and is gone leaves a list that is not whole, and not one that is not there. */
async function readPage(registry: RegistryHost, request: RegistryRequest, page: number) {
  try {
    return await registry.read(request, PAGE_BYTES)
  } catch (error) {
    if (page === 1 || !(error instanceof RegistryError && error.code === 'NOT_FOUND')) throw error
    const why = `has a list whose page ${page} is not there: it ${error.why}`
    throw new RegistryError('INVALID_RESPONSE', { ...error, why, cause: error })
  }
}

/** The address that a Link header (RFC 8288) calls the next one. */
function nextLink(answer: RegistryResponse): string | undefined {
  for (const header of answer.headers('link')) {
    // An address has no `<`, and is over at `>`; its parameters end where the next address begins.
    for (const link of header.split('<').slice(1)) {
      const [target = '', parameters] = splitAt(link, '>')
      if (parameters.split(/[;,]/).some((one) => NEXT.test(one.trim()))) return target
    }
  }
  return undefined
}

const NEXT = /^rel\s{0,9}=\s{0,9}"?next"?$/i

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function wrong(registry: RegistryHost, request: RegistryRequest, why: string): RegistryError {
  return new RegistryError('INVALID_RESPONSE', { operation: request.operation, host: registry.host, why })
}
