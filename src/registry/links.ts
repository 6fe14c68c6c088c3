import type { Answer } from './answer.ts'
import { RegistryError } from './errors.ts'
import type { RegistryHost, RegistryRequest } from './registry-host.ts'

/** One page of a list may have this many bytes: registries without paging answer with everything. */
const PAGE_BYTES = 8 * 1024 * 1024
/** A list that goes on longer than this is going in circles. */
const PAGES = 10_000

/**
 * The pages of a list, along `Link: <…>; rel="next"` (RFC 8288), which stays at the registry's own origin.
 * @throws RegistryError INVALID_RESPONSE for a link that leads away or back
 */
export async function* pages(
  registry: RegistryHost,
  first: RegistryRequest,
): AsyncGenerator<{ answer: Answer; bytes: Buffer }> {
  const seen = new Set<string>()
  let request = first
  for (let page = 1; ; page++) {
    const { answer, bytes } = await registry.read(request, PAGE_BYTES)
    yield { answer, bytes }
    const link = nextLink(answer)
    if (link === undefined) return
    const url = registry.resolve(link, answer.url, request.operation, 'Link')
    if (url.origin !== registry.base.origin) throw wrong(registry, request, 'links its list to another host')
    if (seen.has(url.href) || page >= PAGES) throw wrong(registry, request, 'has a list without an end')
    seen.add(url.href)
    request = { ...first, url, expect: [200] }
  }
}

function nextLink(answer: Answer): string | undefined {
  for (const header of answer.headers('link')) {
    for (const [, target, parameters] of header.matchAll(/<([^>]*)>((?:\s*;\s*[^,;]+)*)/g)) {
      if (/;\s*rel="?next"?\s*(?:;|$)/i.test(parameters ?? '')) return target
    }
  }
  return undefined
}

function wrong(registry: RegistryHost, request: RegistryRequest, why: string): RegistryError {
  return new RegistryError('INVALID_RESPONSE', { operation: request.operation, host: registry.host, why })
}
