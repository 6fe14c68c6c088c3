/**
 * What a request is about. `storage`: a download that the registry redirected to another host. `token`: the
 * token server of a registry.
 */
export type RegistryEndpoint =
  | 'manifest'
  | 'blob'
  | 'upload'
  | 'tags'
  | 'referrers'
  | 'catalog'
  | 'token'
  | 'storage'
  | 'other'

/** A request as observers see it. `host` is the registry that it is for, as references name it. */
export type ObservedRequest = {
  readonly host: string
  readonly endpoint: RegistryEndpoint
  readonly method: string
}

/** Observes what a registry client does. It must neither throw nor take time. */
export type RegistryObserver = {
  /**
   * A request starts. The returned function is called once, when the head of the response arrives, with its
   * status, or without one when the request fails.
   */
  onRequest(request: ObservedRequest): (status: number | undefined) => void
  /** Bytes of a body arrived, or were passed to the connection. */
  onBytes(host: string, direction: 'received' | 'sent', bytes: number): void
  /** An attempt failed. `code` is that of the `RegistryError`. */
  onError(host: string, code: string): void
  /** The registry accepts no further request before a time in milliseconds since 1970. */
  onPause(host: string, until: number): void
}

const ENDPOINTS: readonly [RegExp, RegistryEndpoint][] = [
  [/\/blobs\/uploads(\/|$)/, 'upload'],
  [/\/manifests\//, 'manifest'],
  [/\/blobs\//, 'blob'],
  [/\/tags\/list$/, 'tags'],
  [/\/referrers\//, 'referrers'],
  [/\/_catalog$/, 'catalog'],
]

/** Returns what a request is about, by its method and address. */
export function endpointOf(method: string, url: URL, base: URL): RegistryEndpoint {
  if (url.origin !== base.origin) {
    // Redirects are followed for reads, and registries may name another host for the bytes of an upload.
    if (method === 'PATCH' || method === 'PUT') return 'upload'
    return method === 'GET' || method === 'HEAD' ? 'storage' : 'other'
  }
  const known = ENDPOINTS.find(([path]) => path.test(url.pathname))?.[1]
  if (known !== undefined) return known
  // An upload continues at the Location that the registry chose.
  return method === 'PATCH' || method === 'PUT' ? 'upload' : 'other'
}
