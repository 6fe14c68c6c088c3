import { parseJsonObject } from './json-line.ts'
import { FOREIGN_LINE, type LineFormat, type ParsedLine, parsePath, skippedLine } from './parsed-line.ts'

const ACCESSED = 'file accessed: '
/** logrus quotes in the same way as Go's %q. */
const LOGFMT_ACCESS = /(?:^|\s)msg="file accessed: ((?:[^"\\]|\\.)*)"/
const LOGFMT_LEVEL = /(?:^|\s)level=\w+ /

/**
 * The log of stargz-snapshotter with `log_file_access`, as JSON or logfmt. The first access of each file is
 * logged as `file accessed: PATH`, with the digest of the converted layer (main branch, August 2026). Other
 * lines are skipped.
 */
export const snapshotterLog: LineFormat = {
  isLog: true,
  createParser: () => parseLine,
  isDistinctive: (text) => accessedPath(text) !== undefined && /\blayer\b/.test(text),
}

function parseLine(text: string): ParsedLine {
  const path = accessedPath(text)
  if (path !== undefined) return path === '' ? skippedLine('nameless') : parsePath(path)
  const isLogLine = typeof parseJsonObject(text)?.level === 'string' || LOGFMT_LEVEL.test(text)
  return isLogLine ? skippedLine('other') : FOREIGN_LINE
}

function accessedPath(text: string): string | undefined {
  const { msg } = parseJsonObject(text) ?? {}
  if (typeof msg === 'string') return msg.startsWith(ACCESSED) ? msg.slice(ACCESSED.length) : undefined
  const quoted = LOGFMT_ACCESS.exec(text)?.[1]
  return quoted === undefined ? undefined : unquoteGo(quoted)
}

/** Undoes Go's %q for the escapes that JSON shares and `\x`; the others are rare in file names. */
function unquoteGo(text: string): string {
  try {
    return JSON.parse(`"${text.replace(/\\x([0-9a-f]{2})/g, '\\u00$1').replace(/\\a|\\v/g, '')}"`)
  } catch {
    return text
  }
}
