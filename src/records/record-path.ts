import { partsOf } from '../tar/names.ts'

/**
 * A recorded path in the form that records keep: no leading or trailing slash, no empty or `.` parts; the root
 * is the empty string. What is not well-formed Unicode becomes U+FFFD, as it does in every JSON writer of Go.
 */
export function cleanRecordPath(path: string): string {
  const text = path.toWellFormed()
  if (!/(?:^|\/)\.?(?:\/|$)/.test(text)) return text
  return partsOf(text).join('/')
}
