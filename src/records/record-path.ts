import { splitPath } from '../tar/names.ts'

/**
 * Normalizes a recorded path: no leading or trailing slash, no empty or `.` parts; the root is the empty
 * string. Lone surrogates become U+FFFD, as in every JSON writer of Go.
 */
export function cleanRecordPath(path: string): string {
  const text = path.toWellFormed()
  if (!/(?:^|\/)\.?(?:\/|$)/.test(text)) return text
  return splitPath(text).join('/')
}
