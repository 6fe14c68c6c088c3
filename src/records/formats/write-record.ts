import { distinctEntries } from '../combine/record-merger.ts'
import { RecordError } from '../errors.ts'
import { type RecordEntry, type RecordFormat, writeRecordFile } from '../model.ts'
import { writePathList } from './parsers/path-list.ts'
import { assertSingleLine } from './parsers/single-line.ts'

/** The formats in which records can be downloaded, with their media types. */
export const WRITTEN_FORMATS = {
  'stargz-record': 'application/x-ndjson',
  'path-list': 'text/plain; charset=utf-8',
  'nydus-list': 'text/plain; charset=utf-8',
  'overlaybd-list': 'text/plain; charset=utf-8',
  soci: 'application/json',
} as const satisfies Partial<Record<RecordFormat, string>>
export type WrittenFormat = keyof typeof WRITTEN_FORMATS

/**
 * Writes a record in a format of another tool. Lists contain each path once, with a leading slash, without
 * `manifestDigest` and `layerIndex`.
 * @throws RecordError RECORD_HAS_GLOBS if the format has no globs; INVALID_RECORD for a path with a line
 *   break in a list of lines
 */
export function writeRecord(entries: readonly RecordEntry[], format: WrittenFormat): string {
  if (format === 'stargz-record') return writeRecordFile(entries)
  const distinct = [...distinctEntries(entries).values()]
  if (format === 'path-list') return writePathList(distinct)
  const paths = distinct.map((entry) => toLiteralPath(entry, format))
  if (format === 'soci') return `${JSON.stringify(paths, undefined, 1)}\n`
  for (const path of paths) assertSingleLine(path)
  return paths.map((path) => `${path}\n`).join('')
}

function toLiteralPath({ path, glob }: RecordEntry, format: WrittenFormat): string {
  if (!glob) return `/${path}`
  throw new RecordError('RECORD_HAS_GLOBS', `the record has the glob ${path}, but ${format} has no globs`)
}
