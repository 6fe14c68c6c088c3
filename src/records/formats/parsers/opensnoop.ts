import { type Found, type LineFormat, type LineOptions, openedPath, type ReadLine } from './parsed-line.ts'

/** Columns that hold numbers; what others hold is not looked at. */
const NUMBERS: ReadonlySet<string> = new Set(['PID', 'TID', 'UID', 'FD', 'ERR'])
const NUMBER = /^-?\d+$/
const MAX_COLUMNS = 20
/** What opensnoop and bpftrace say of themselves. */
const NOTE = /^(?:Attaching \d+ probes?|Tracing open|Possibly lost \d+|Detaching)/

/** Where the program's name, which may hold spaces, and the path stand among the columns. */
type Header = { readonly before: readonly string[]; readonly between: readonly string[] }
type Row = { readonly descriptor: number; readonly path: string }

/** Whether a line is the header of opensnoop. Which columns there are depends on its options. */
function isOpensnoopHeader(text: string): boolean {
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
 * The log of opensnoop of bcc (and of bpftrace): the header says which columns there are, it may come again. Opens that
 * failed are passed over.
 */
export const opensnoop: LineFormat = { isLog: true, proves: isOpensnoopHeader, reader: opensnoopReader }

function opensnoopReader({ workingDirectory }: LineOptions): ReadLine {
  let header: Header | undefined
  return (text): Found => {
    const line = text.trim()
    if (NOTE.test(line)) return { skipped: 'other' }
    if (isOpensnoopHeader(line)) {
      const names = line.split(/\s+/)
      const at = names.indexOf('COMM')
      header = { before: names.slice(0, at), between: names.slice(at + 1, -1) }
      return undefined
    }
    const row = header && rowOf(line, header)
    if (row === undefined) return 'foreign'
    return row.descriptor < 0 ? { skipped: 'failed' } : openedPath(row.path, workingDirectory)
  }
}

/**
 * Takes a row apart. Where the program's name ends is told by the numbers behind it; it may end with numbers itself, so
 * that an absolute path is preferred, and no path is the last choice.
 */
function rowOf(line: string, { before, between }: Header): Row | undefined {
  const words = [...line.matchAll(/\S+/g)]
  const fits = (names: readonly string[], from: number) =>
    names.every((name, i) => {
      const word = words[from + i]?.[0]
      return word !== undefined && (!NUMBERS.has(name) || NUMBER.test(word))
    })
  if (!fits(before, 0)) return undefined
  let best: Row | undefined
  for (let at = before.length + 1; at + between.length <= words.length; at++) {
    if (!fits(between, at)) continue
    const start = words[at + between.length]?.index
    const path = start === undefined ? '' : line.slice(start)
    const row = { descriptor: Number(words[at + between.indexOf('FD')]?.[0]), path }
    if (path.startsWith('/')) return row
    if (best === undefined || best.path === '') best = row
  }
  return best
}
