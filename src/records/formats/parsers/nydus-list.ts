import { type LineFormat, type ParsedLine, parsePath, skippedLine } from './parsed-line.ts'

/** The list of nydus-snapshotter's optimizer: one literal path per line, perhaps a signal line at the end. */
export const nydusList: LineFormat = { isLog: false, createParser: () => parseLine }

function parseLine(text: string): ParsedLine {
  const trimmed = text.trim()
  return isSignalLine(trimmed) ? skippedLine('other') : parsePath(trimmed)
}

/** Whether this is the line that nydus-snapshotter's optimizer writes when a signal stops it. */
export function isSignalLine(text: string): boolean {
  return /^received SIG[A-Z0-9]+ signal$/.test(text)
}
