import { objectOf } from './json-line.ts'
import { type Found, foundPath, type LineFormat } from './parsed-line.ts'

const ACCESSED = 'file accessed: '
/** logrus quotes as Go's %q does. */
const LOGFMT = /(?:^|\s)msg="file accessed: ((?:[^"\\]|\\.)*)"/
const IS_LOGFMT = /(?:^|\s)level=\w+ /

/**
 * The log of stargz-snapshotter with `log_file_access`, as JSON or logfmt: the first access of each file is a line
 * `file accessed: PATH` with the digest of its converted layer (main of August 2026). All else that it logs is passed over.
 */
export const snapshotterLog: LineFormat = {
  isLog: true,
  reader: () => readLine,
  proves: (text) => accessedIn(text) !== undefined && /\blayer\b/.test(text),
}

function readLine(text: string): Found {
  const path = accessedIn(text)
  if (path !== undefined) return path === '' ? { skipped: 'nameless' } : foundPath(path)
  const isItsLog = typeof objectOf(text)?.level === 'string' || IS_LOGFMT.test(text)
  return isItsLog ? { skipped: 'other' } : 'foreign'
}

function accessedIn(text: string): string | undefined {
  const { msg } = objectOf(text) ?? {}
  if (typeof msg === 'string') return msg.startsWith(ACCESSED) ? msg.slice(ACCESSED.length) : undefined
  const quoted = LOGFMT.exec(text)?.[1]
  return quoted === undefined ? undefined : unquoted(quoted)
}

/** Undoes Go's %q, as far as JSON has the same escapes; others are rare in names. */
function unquoted(text: string): string {
  try {
    return JSON.parse(`"${text.replace(/\\x([0-9a-f]{2})/g, '\\u00$1').replace(/\\a|\\v/g, '')}"`)
  } catch {
    return text
  }
}
