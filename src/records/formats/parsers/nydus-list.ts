import { type Found, foundPath, type LineFormat } from './parsed-line.ts'

/**
 * The list that nydus-snapshotter's optimizer writes: a path a line, taken as it stands. It can end with a line about the
 * signal that ended it.
 */
export const nydusList: LineFormat = { isLog: false, reader: () => readLine }

function readLine(text: string): Found {
  const trimmed = text.trim()
  return isSignalLine(trimmed) ? { skipped: 'other' } : foundPath(trimmed)
}

/** What nydus-snapshotter's optimizer writes when it is stopped. */
export function isSignalLine(text: string): boolean {
  return /^received SIG[A-Z0-9]+ signal$/.test(text)
}
