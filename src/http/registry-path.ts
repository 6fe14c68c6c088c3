const REGISTRY_PATH = /^\/v2(\/|$)/

/** Whether a path, or the pattern of a route, is one of the embedded registry. */
export function isRegistryPath(path: string): boolean {
  return REGISTRY_PATH.test(path)
}
