import { type Found, foundPath } from './found.ts'

/**
 * Reads a line of the list that nydus-snapshotter's optimizer writes: a path, taken as it stands. It can end with a
 * line about the signal that ended it.
 * @throws RecordError INVALID_RECORD
 */
export function readNydusListLine(text: string): Found {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  return isSignalLine(trimmed) ? { skipped: 'other' } : foundPath(trimmed)
}

/** What nydus-snapshotter's optimizer writes when it is stopped. */
export function isSignalLine(text: string): boolean {
  return /^received SIG[A-Z0-9]+ signal$/.test(text)
}
