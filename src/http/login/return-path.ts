const MAX_LENGTH = 1000
/** A path of this origin. `//host` and `/\host` are other hosts to a browser, and control characters vanish. */
const PATH = /^\/(?![/\\])[\x21-\x7e]*$/

/**
 * Returns where the browser goes after a login: a path of the broker.
 * @param returnTo what the caller requested
 * @returns undefined unless it is a path, and nothing else
 */
export function returnPath(returnTo: string, publicUrl: URL): URL | undefined {
  if (returnTo.length > MAX_LENGTH || !PATH.test(returnTo) || returnTo.includes('\\')) return undefined
  const url = URL.parse(returnTo, publicUrl)
  return url?.origin === publicUrl.origin ? url : undefined
}
