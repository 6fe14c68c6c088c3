import { RecordError } from '../model.ts'
import { type Found, type LineOptions, openedPath, type ReadLine } from './found.ts'

/** How the columns before the path look; names of programs may hold spaces. */
const COLUMNS: Readonly<Record<string, string>> = {
  PID: '\\d+',
  TID: '\\d+',
  UID: '\\d+',
  FD: '-?\\d+',
  ERR: '-?\\d+',
  COMM: '.*?',
}
const MOST_COLUMNS = 20
const ANY_COLUMN = '\\S+'
/** What opensnoop and bpftrace say of themselves. */
const NOTE = /^(?:Attaching \d+ probes?|Tracing open|Possibly lost \d+|Detaching)/

/** Whether a line is the header of opensnoop. Which columns there are depends on its options. */
export function isOpensnoopHeader(text: string): boolean {
  const names = text.trim().split(/\s+/)
  return (
    names.length <= MOST_COLUMNS &&
    new Set(names).size === names.length &&
    names.at(-1) === 'PATH' &&
    names.includes('COMM') &&
    names.includes('FD')
  )
}

/** Whether a line only tells that tracing began. */
export function isOpensnoopNote(text: string): boolean {
  return NOTE.test(text)
}

/**
 * Reads opensnoop of bcc (and of bpftrace): the header says which columns there are, it may come again. Opens that
 * failed are passed over.
 */
export function opensnoopReader({ workingDirectory }: LineOptions): ReadLine {
  let rows: readonly RegExp[] = []
  return (text): Found => {
    const line = text.trim()
    if (line === '') return undefined
    if (isOpensnoopNote(line)) return { skipped: 'other' }
    if (isOpensnoopHeader(line)) {
      // Names of programs may end with numbers: a row with an absolute path is tried first, one without a path last.
      rows = ['/.*', '.+', ''].map((path) => rowOf(line.split(/\s+/), path))
      return undefined
    }
    if (rows.length === 0)
      throw new RecordError('INVALID_RECORD', 'expected the header of opensnoop (… COMM FD ERR PATH) first')
    const found = rows.map((row) => row.exec(line)?.groups).find((groups) => groups !== undefined)
    if (found === undefined) {
      throw new RecordError('INVALID_RECORD', 'the row does not fit the header above it')
    }
    if (Number(found.FD) < 0) return { skipped: 'failed' }
    return openedPath(found.PATH ?? '', workingDirectory)
  }
}

function rowOf(header: readonly string[], path: string): RegExp {
  const cells = header.map((name) => {
    const pattern = name === 'PATH' ? path : (COLUMNS[name] ?? ANY_COLUMN)
    return name === 'FD' || name === 'PATH' ? `(?<${name}>${pattern})` : `(?:${pattern})`
  })
  return new RegExp(`^${cells.slice(0, -1).join('\\s+')}${path === '' ? '' : `\\s+${cells.at(-1)}`}$`)
}
