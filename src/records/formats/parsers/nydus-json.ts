import { parseJsonObject } from './json-line.ts'
import { isSignalLine } from './nydus-list.ts'
import { FOREIGN_LINE, type LineFormat, type ParsedLine, parsePath, skippedLine } from './parsed-line.ts'

const FIELDS: ReadonlySet<string> = new Set(['path', 'size', 'elapsed'])

/**
 * The log of nydus-snapshotter's optimizer: one `{"path":"/a","size":1,"elapsed":2}` per line, perhaps a
 * signal line at the end. `elapsed` is not needed: the lines are in the order of first access.
 */
export const nydusJson: LineFormat = {
  isLog: true,
  createParser: () => parseLine,
  isDistinctive: (text) => {
    // Logs of web servers have paths and times, too, but also other fields.
    const object = parseJsonObject(text) ?? {}
    const { path, elapsed } = object
    return (
      typeof path === 'string' &&
      elapsed !== undefined &&
      Object.keys(object).every((name) => FIELDS.has(name))
    )
  },
}

function parseLine(text: string): ParsedLine {
  if (isSignalLine(text.trim())) return skippedLine('other')
  const { path } = parseJsonObject(text) ?? {}
  if (typeof path !== 'string') return FOREIGN_LINE
  return path === '' ? skippedLine('nameless') : parsePath(path)
}
