import { RecordError } from '../../errors.ts'
import { isSignalLine } from './nydus-list.ts'
import {
  EMPTY_LINE,
  type LineFormat,
  type ParsedLine,
  type ParseLine,
  parsePath,
  skippedLine,
} from './parsed-line.ts'

/**
 * The CSV of nydus-snapshotter's optimizer, with a header `path,size,elapsed`. Sizes and times are numbers or
 * human-readable (`1.2 MiB`). The header shows which column is the path; it is repeated in files that were
 * concatenated.
 */
export const nydusCsv: LineFormat = {
  isLog: false,
  createParser,
  isDistinctive: (text) => /^"?path"?,"?size"?,"?elapsed"?\s*$/i.test(text.trim()),
}

function createParser(): ParseLine {
  let header: string[] | undefined
  return (text): ParsedLine => {
    const line = text.trim()
    if (isSignalLine(line)) return skippedLine('other')
    const cells = parseCells(line)
    if (isHeader(cells)) {
      header = cells.map((cell) => cell.trim().toLowerCase())
      return EMPTY_LINE
    }
    if (header === undefined) {
      throw new RecordError('INVALID_RECORD', 'expected the header path,size,elapsed before the first row')
    }
    if (cells.length !== header.length) {
      throw new RecordError(
        'INVALID_RECORD',
        `the row has ${cells.length} cells, but the header has ${header.length}; a path with a comma needs quotes`,
      )
    }
    const path = cells[header.indexOf('path')] ?? ''
    return path === '' ? skippedLine('nameless') : parsePath(path)
  }
}

function isHeader(cells: readonly string[]): boolean {
  return cells.length > 1 && cells[0]?.trim().toLowerCase() === 'path'
}

/**
 * Splits a row into cells (RFC 4180); cells with commas or quotes are quoted.
 * @throws RecordError INVALID_RECORD
 */
function parseCells(line: string): string[] {
  const cells: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y
  for (;;) {
    const match = cell.exec(line)
    if (match === null)
      throw new RecordError('INVALID_RECORD', 'a quote is not closed, or is in a cell without quotes')
    const [, quoted, unquoted = '', separator] = match
    cells.push(quoted?.replaceAll('""', '"') ?? unquoted)
    if (separator === '') return cells
  }
}
