import { type Found, foundPath } from './found.ts'

/**
 * Reads a line of overlaybd's priority list: a path, taken as it stands, without globs and comments.
 * @throws RecordError INVALID_RECORD
 */
export function readOverlaybdListLine(text: string): Found {
  const trimmed = text.trim()
  return trimmed === '' ? undefined : foundPath(trimmed)
}
