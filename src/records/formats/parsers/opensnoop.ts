import {
  EMPTY_LINE,
  FOREIGN_LINE,
  type LineFormat,
  type LineFormatOptions,
  type ParsedLine,
  type ParseLine,
  parseOpenedPath,
  skippedLine,
} from './parsed-line.ts'

/** Columns that hold numbers; the content of other columns is not checked. */
const NUMERIC_COLUMNS: ReadonlySet<string> = new Set(['PID', 'TID', 'UID', 'FD', 'ERR'])
const NUMBER = /^-?\d+$/
const MAX_COLUMNS = 20
/** Messages of opensnoop and bpftrace themselves. */
const MESSAGE = /^(?:Attaching \d+ probes?|Tracing open|Possibly lost \d+|Detaching)/

/** The columns around the program's name, which may contain spaces; the path is the last column. */
type Header = { readonly beforeName: readonly string[]; readonly afterName: readonly string[] }
type Row = { readonly descriptor: number; readonly path: string }

/** Whether a line is the header of opensnoop. Its columns depend on the options of the command. */
function isHeader(text: string): boolean {
  const names = text.trim().split(/\s+/)
  return (
    names.length <= MAX_COLUMNS &&
    new Set(names).size === names.length &&
    names.at(-1) === 'PATH' &&
    names.includes('COMM') &&
    names.indexOf('FD') > names.indexOf('COMM')
  )
}

/**
 * The log of opensnoop of bcc and of bpftrace. The header names the columns and may be repeated. Failed opens
 * are skipped.
 */
export const opensnoop: LineFormat = { isLog: true, isDistinctive: isHeader, createParser }

function createParser({ workingDirectory }: LineFormatOptions): ParseLine {
  let header: Header | undefined
  return (text): ParsedLine => {
    const line = text.trim()
    if (MESSAGE.test(line)) return skippedLine('other')
    if (isHeader(line)) {
      const names = line.split(/\s+/)
      const nameIndex = names.indexOf('COMM')
      header = { beforeName: names.slice(0, nameIndex), afterName: names.slice(nameIndex + 1, -1) }
      return EMPTY_LINE
    }
    const row = header && parseRow(line, header)
    if (row === undefined) return FOREIGN_LINE
    return row.descriptor < 0 ? skippedLine('failed') : parseOpenedPath(row.path, workingDirectory)
  }
}

/**
 * Splits a row into its columns. The numbers after the program's name show where the name ends. The name may
 * itself end with numbers, so a split that leaves an absolute path is preferred, and one that leaves no path
 * is the last choice.
 */
function parseRow(line: string, { beforeName, afterName }: Header): Row | undefined {
  const words = [...line.matchAll(/\S+/g)]
  const matches = (columns: readonly string[], firstWord: number) =>
    columns.every((column, i) => {
      const word = words[firstWord + i]?.[0]
      return word !== undefined && (!NUMERIC_COLUMNS.has(column) || NUMBER.test(word))
    })
  if (!matches(beforeName, 0)) return undefined
  let best: Row | undefined
  for (let nameEnd = beforeName.length + 1; nameEnd + afterName.length <= words.length; nameEnd++) {
    if (!matches(afterName, nameEnd)) continue
    const pathStart = words[nameEnd + afterName.length]?.index
    const path = pathStart === undefined ? '' : line.slice(pathStart)
    const row = { descriptor: Number(words[nameEnd + afterName.indexOf('FD')]?.[0]), path }
    if (path.startsWith('/')) return row
    if (best === undefined || best.path === '') best = row
  }
  return best
}
