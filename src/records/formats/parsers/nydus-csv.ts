import { RecordError } from '../../model.ts'
import { isSignalLine } from './nydus-list.ts'
import { type Found, foundPath, type LineFormat, type ReadLine } from './parsed-line.ts'

/**
 * The CSV of nydus-snapshotter's optimizer: a header `path,size,elapsed`, sizes and times as numbers or for
 * people (`1.2 MiB`). The header says which column is the path; it may come again, where files were joined.
 */
export const nydusCsv: LineFormat = {
  isLog: false,
  reader: nydusCsvReader,
  proves: (text) => /^"?path"?,"?size"?,"?elapsed"?\s*$/i.test(text.trim()),
}

function nydusCsvReader(): ReadLine {
  let header: string[] | undefined
  return (text): Found => {
    const line = text.trim()
    if (isSignalLine(line)) return { skipped: 'other' }
    const cells = cellsOf(line)
    if (isHeader(cells)) {
      header = cells.map((cell) => cell.trim().toLowerCase())
      return undefined
    }
    if (header === undefined) {
      throw new RecordError('INVALID_RECORD', 'expected the header path,size,elapsed before the first row')
    }
    if (cells.length !== header.length) {
      throw new RecordError(
        'INVALID_RECORD',
        `the row has ${cells.length} cells where the header has ${header.length}; a path with a comma needs quotes`,
      )
    }
    const path = cells[header.indexOf('path')] ?? ''
    return path === '' ? { skipped: 'nameless' } : foundPath(path)
  }
}

function isHeader(cells: readonly string[]): boolean {
  return cells.length > 1 && cells[0]?.trim().toLowerCase() === 'path'
}

/** The cells of a row (RFC 4180): quoted where they hold commas or quotes. @throws RecordError INVALID_RECORD */
function cellsOf(line: string): string[] {
  const cells: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y
  for (;;) {
    const found = cell.exec(line)
    if (found === null)
      throw new RecordError('INVALID_RECORD', 'a quote that is not closed, or in a cell without quotes')
    const [, quoted, plain = '', end] = found
    cells.push(quoted?.replaceAll('""', '"') ?? plain)
    if (end === '') return cells
  }
}
