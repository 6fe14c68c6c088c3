import { parseRepository } from '../../oci/reference.ts'

/** What follows the name of a repository, which may contain segments such as `blobs` itself. */
const ENDPOINT = /\/(?:(?:manifests|blobs|referrers)\/[^/]+|tags\/list|blobs\/uploads\/[^/]*)$/

/**
 * What an address names in the distribution API: a repository, or something of a registry that is unclear. Undefined
 * for other addresses, such as those of storage and of token servers. Registries decode a path before they read it.
 */
export function namedRepository({ pathname }: URL): string | 'unclear' | undefined {
  try {
    const path = decodeURIComponent(pathname).replace(/\/+/g, '/')
    if (!/^\/v2(\/|$)/i.test(path)) return undefined
    return parseRepository(path.slice('/v2/'.length).replace(ENDPOINT, ''))
  } catch {
    return 'unclear'
  }
}
