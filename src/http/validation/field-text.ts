const REFERENCE_IN_PATH = '*'

/**
 * Names a field for people.
 * @param path the path of the field in `errors` of a problem document, such as `body.options.chunkSize`
 */
export function fieldText(path: string): string {
  const [part = '', ...names] = path.split('.')
  const name = names.join('.')
  switch (part) {
    case 'body':
      return name === '' ? 'the body' : `field ${name} of the body`
    case 'querystring':
      return name === '' ? 'the query' : `query parameter ${name}`
    case 'params':
      return name === REFERENCE_IN_PATH ? 'the reference in the path' : `path parameter ${name}`
    case 'headers':
      return `header ${name}`
    default:
      return path
  }
}
