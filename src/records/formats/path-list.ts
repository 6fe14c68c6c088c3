import { compileGlob, escapeGlob, literalOf, looksLikeGlob } from '../glob.ts'
import { RecordEntry, RecordError } from '../model.ts'
import { cleanRecordPath } from '../record-path.ts'

/**
 * Reads a line of a path list, as `ctr-remote image optimize --prefetch-list` does: a path or a glob, with or
 * without a leading slash; blank lines and those that begin with `#` say nothing. The root directory is passed
 * over. A line that would be a malformed glob is a path: there are programs called `[`.
 * @throws RecordError INVALID_RECORD
 */
export function readPathListLine(text: string, line: number): RecordEntry | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.startsWith('#')) return undefined
  let entry: RecordEntry
  try {
    entry = entryOf(trimmed)
  } catch (error) {
    if (error instanceof RecordError) throw new RecordError(error.code, error.message, line)
    throw error
  }
  if (entry.path === '') return undefined
  const problem = RecordEntry.shape.path.safeParse(entry.path).error?.issues[0]
  if (problem !== undefined) throw new RecordError('INVALID_RECORD', `the path ${problem.message}`, line)
  return entry
}

function entryOf(text: string): RecordEntry {
  if (!looksLikeGlob(text)) return { path: cleanRecordPath(text) }
  const literal = literalOf(text)
  if (literal !== undefined) return { path: cleanRecordPath(literal) }
  if (compileGlob(text) === undefined) return { path: cleanRecordPath(text) }
  return { path: cleanRecordPath(text), glob: true }
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
