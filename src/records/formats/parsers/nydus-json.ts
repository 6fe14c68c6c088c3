import { objectOf } from './json-line.ts'
import { isSignalLine } from './nydus-list.ts'
import { type Found, foundPath, type LineFormat } from './parsed-line.ts'

const FIELDS: ReadonlySet<string> = new Set(['path', 'size', 'elapsed'])

/**
 * A log of nydus-snapshotter's optimizer: `{"path":"/a","size":1,"elapsed":2}` a line; a last line can tell of the signal
 * that ended it. How long a read took is not needed: the order of the lines is that of first access.
 */
export const nydusJson: LineFormat = {
  isLog: true,
  reader: () => readLine,
  proves: (text) => {
    // Logs of web servers have paths and times, too, and more besides.
    const object = objectOf(text) ?? {}
    const { path, elapsed } = object
    return (
      typeof path === 'string' &&
      elapsed !== undefined &&
      Object.keys(object).every((name) => FIELDS.has(name))
    )
  },
}

function readLine(text: string): Found {
  if (isSignalLine(text.trim())) return { skipped: 'other' }
  const { path } = objectOf(text) ?? {}
  if (typeof path !== 'string') return 'foreign'
  return path === '' ? { skipped: 'nameless' } : foundPath(path)
}
