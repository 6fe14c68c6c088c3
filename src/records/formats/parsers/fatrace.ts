import { parseJsonObject } from './json-line.ts'
import { FOREIGN_LINE, type LineFormat, type ParsedLine, parsePath, skippedLine } from './parsed-line.ts'

/**
 * Time (`-t`, `-tt`), program, process, user (`-u`), event, path: `12:00:00.1 cat(7) [0:0]: RO /etc/passwd`.
 */
const LINE =
  /^(?:\d[\d:]*(?:\.\d+)?\s+(?=\S))?([^/].*?)\((\d+)\)(?:\s*\[\d+:\d+\])?:\s+([RWCOD+<>]{1,12})(?:\s+(\S.*))?$/s
/** The suffix that `-P` adds to the path. */
const PARENTS = /, parents=\(pid=\d+ comm=.*$/
/** The suffix that `-e` adds to the path. */
const PROGRAM = /^(.*?) exe=(\/.*|)$/
/** Events that show that a file was opened or read. */
const READ_EVENTS = /[OR]/
/** Linux appends this to the name of a deleted file that is still open. */
const DELETED = ' (deleted)'

/**
 * The log of fatrace, with `-t`, `-u`, `-e` and `-P`. Events without O and R are skipped, as are those of a
 * file that no longer had a name (`device 8:2 inode 658203`, or nothing). The kernel reports paths with
 * symlinks resolved.
 */
export const fatrace: LineFormat = {
  isLog: true,
  createParser: () => parseLine,
  isDistinctive: (text) => /^(?:\/|device \d)/.test(LINE.exec(text.trimEnd())?.[4] ?? ''),
}

function parseLine(text: string): ParsedLine {
  const [, , , event = '', file = ''] = LINE.exec(text.trimEnd()) ?? []
  if (event === '') return FOREIGN_LINE
  const path = file.replace(PARENTS, '')
  return parseEvent(event, PROGRAM.exec(path)?.[1] ?? path)
}

/**
 * The log of `fatrace -j`: one object per line. `path_raw` holds a name that is not UTF-8, as an array of
 * bytes.
 */
export const fatraceJson: LineFormat = {
  isLog: true,
  createParser: () => parseJsonLine,
  isDistinctive: (text) => {
    const { types, comm, pid, path, path_raw, device } = parseJsonObject(text) ?? {}
    const hasFile = path !== undefined || path_raw !== undefined || device !== undefined
    return isEvent(types) && (comm !== undefined || pid !== undefined) && hasFile
  },
}

function parseJsonLine(text: string): ParsedLine {
  const { types, path, path_raw } = parseJsonObject(text) ?? {}
  if (!isEvent(types)) return FOREIGN_LINE
  if (READ_EVENTS.test(types) && Array.isArray(path_raw)) return skippedLine('encoding')
  return parseEvent(types, typeof path === 'string' ? path : '')
}

function isEvent(types: unknown): types is string {
  return typeof types === 'string' && /^[RWCOD+<>]{1,12}$/.test(types)
}

function parseEvent(event: string, path: string): ParsedLine {
  if (!READ_EVENTS.test(event)) return skippedLine('other')
  if (!path.startsWith('/')) return skippedLine('nameless')
  return path.endsWith(DELETED) ? skippedLine('created') : parsePath(path)
}
