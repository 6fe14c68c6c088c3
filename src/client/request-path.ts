/** The parameter of paths such as `/v1/images/{reference}`: the rest of the path, with its slashes. */
const REST_OF_PATH = 'reference'

/**
 * Fills in the parameters of a path. The slashes of a reference stay as they are, because proxies and servers
 * disagree about `%2F`.
 * @throws TypeError if a parameter is missing, or if it would lead to another path
 */
export function requestPath(path: string, parameters: Readonly<Record<string, unknown>>): string {
  return path.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = parameters[name]
    if (typeof value !== 'string' && typeof value !== 'number')
      throw new TypeError(`params.path.${name}: missing`)
    const segments = name === REST_OF_PATH ? String(value).split('/') : [String(value)]
    // URL parsers resolve these segments, even if they are encoded.
    if (segments.some((segment) => /^\.{0,2}$/.test(segment))) {
      throw new TypeError(`params.path.${name}: "${value}" cannot be part of a path`)
    }
    return segments.map(encodeSegment).join('/')
  })
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll('%3A', ':').replaceAll('%40', '@')
}
