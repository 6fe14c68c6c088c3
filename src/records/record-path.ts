/**
 * A recorded path in the form that records keep: no leading or trailing slash, no empty or `.` parts; the root
 * is the empty string. What is not well-formed Unicode becomes U+FFFD, as it does in every JSON writer of Go.
 */
export function cleanRecordPath(path: string): string {
  const text = path.toWellFormed()
  if (!/(?:^|\/)\.?(?:\/|$)/.test(text)) return text
  return partsOf(text).join('/')
}

/** The parts of a path, without empty and `.` ones. */
export function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}

/** A path with its `..` taken by the letter, never above the root: how eStargz compares names. */
export function lexicalPath(path: string): string {
  const kept: string[] = []
  for (const part of partsOf(path)) {
    if (part === '..') kept.pop()
    else kept.push(part)
  }
  return kept.join('/')
}
