import { escapeGlob, isGlobPattern, literalOf, looksLikeGlob } from '../glob/glob.ts'
import { type RecordEntry, RecordError } from '../model.ts'
import { cleanRecordPath } from '../record-path.ts'
import { type Found, foundPath } from './found.ts'

/**
 * Reads a line of a path list, as `ctr-remote image optimize --prefetch-list` does: a path or a glob, with or
 * without a leading slash; blank lines and those that begin with `#` say nothing. The root directory is passed
 * over. A line that would be a malformed glob is a path: there are programs called `[`.
 * @throws RecordError INVALID_RECORD
 */
export function readPathListLine(text: string): Found {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.startsWith('#')) return undefined
  if (!looksLikeGlob(trimmed)) return foundPath(trimmed)
  const literal = literalOf(trimmed)
  if (literal !== undefined) return foundPath(literal)
  const found = foundPath(trimmed)
  if (!isGlobPattern(trimmed) || found === undefined || !('entry' in found)) return found
  return { entry: { path: cleanRecordPath(trimmed), glob: true } }
}

/**
 * The record as a path list: a path a line, with a leading slash, in the record's order. Reading it gives the
 * same paths and globs; what says where a file was seen is lost.
 * @throws RecordError INVALID_RECORD for a path with a line break
 */
export function writePathList(entries: readonly RecordEntry[]): string {
  return entries.map((entry) => `${lineOf(entry)}\n`).join('')
}

function lineOf(entry: RecordEntry): string {
  if (entry.path.includes('\n')) {
    throw new RecordError(
      'INVALID_RECORD',
      `the path ${JSON.stringify(entry.path)} has a line break, which a path list cannot hold; ask for the record file`,
    )
  }
  const text = !entry.glob && looksLikeGlob(entry.path) ? escapeGlob(entry.path) : entry.path
  // Readers trim lines; they also drop a trailing slash, which protects a space before it.
  return `/${text}${text.trimEnd() === text ? '' : '/'}`
}
