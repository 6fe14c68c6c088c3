import { distinctEntries } from '../combine/merge.ts'
import { type RecordEntry, RecordError, type RecordFormat, writeRecordFile } from '../model.ts'
import { withoutBreak } from './parsers/line-break.ts'
import { writePathList } from './parsers/path-list.ts'

/** The formats that records come out in again, with their media types. */
export const WRITTEN_FORMATS = {
  'stargz-record': 'application/x-ndjson',
  'path-list': 'text/plain; charset=utf-8',
  'nydus-list': 'text/plain; charset=utf-8',
  'overlaybd-list': 'text/plain; charset=utf-8',
  soci: 'application/json',
} as const satisfies Partial<Record<RecordFormat, string>>
export type WrittenFormat = keyof typeof WRITTEN_FORMATS

/**
 * A record as other tools read it. Lists have each path once, with a leading slash; what says where a file was seen is lost in
 * them.
 * @throws RecordError RECORD_HAS_GLOBS for a format without globs; INVALID_RECORD for a path with a line break in a list of lines
 */
export function writeRecord(entries: readonly RecordEntry[], format: WrittenFormat): string {
  if (format === 'stargz-record') return writeRecordFile(entries)
  const distinct = [...distinctEntries(entries).values()]
  if (format === 'path-list') return writePathList(distinct)
  const paths = distinct.map((entry) => plainPath(entry, format))
  if (format === 'soci') return `${JSON.stringify(paths, undefined, 1)}\n`
  return paths.map((path) => `${withoutBreak(path)}\n`).join('')
}

function plainPath({ path, glob }: RecordEntry, format: WrittenFormat): string {
  if (!glob) return `/${path}`
  throw new RecordError('RECORD_HAS_GLOBS', `the record has the glob ${path}, and ${format} has none`)
}
