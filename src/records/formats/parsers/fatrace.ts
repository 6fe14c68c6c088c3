import { objectOf } from './json-line.ts'
import { type Found, foundPath, type LineFormat } from './parsed-line.ts'

/** Time (`-t`, `-tt`), program, process, user (`-u`), event, path: `12:00:00.1 cat(7) [0:0]: RO /etc/passwd`. */
const LINE =
  /^(?:\d[\d:]*(?:\.\d+)?\s+(?=\S))?([^/].*?)\((\d+)\)(?:\s*\[\d+:\d+\])?:\s+([RWCOD+<>]{1,12})(?:\s+(\S.*))?$/s
/** What follows the path with `-e` and `-P`. */
const PARENTS = /, parents=\(pid=\d+ comm=.*$/
const PROGRAM = /^(.*?) exe=(\/.*|)$/
/** Events that show that a file was opened or read. */
const READS = /[OR]/
/** What Linux puts behind the name of a file that is deleted and still open. */
const DELETED = ' (deleted)'

/**
 * The log of fatrace, with `-t`, `-u`, `-e` and `-P`. Events without O and R are passed over, and so are those whose file had
 * no name any more (`device 8:2 inode 658203`, or nothing). Paths are the kernel's, with symlinks followed.
 */
export const fatrace: LineFormat = {
  isLog: true,
  reader: () => readLine,
  proves: (text) => /^(?:\/|device \d)/.test(LINE.exec(text.trimEnd())?.[4] ?? ''),
}

function readLine(text: string): Found {
  const [, , , event = '', rest = ''] = LINE.exec(text.trimEnd()) ?? []
  if (event === '') return 'foreign'
  const path = rest.replace(PARENTS, '')
  return found(event, PROGRAM.exec(path)?.[1] ?? path)
}

/** The same with `-j`: an object a line. A name that is no UTF-8 is an array of bytes, `path_raw`. */
export const fatraceJson: LineFormat = {
  isLog: true,
  reader: () => readJsonLine,
  proves: (text) => {
    const { types, comm, pid, path, path_raw, device } = objectOf(text) ?? {}
    const hasFile = path !== undefined || path_raw !== undefined || device !== undefined
    return isEvent(types) && (comm !== undefined || pid !== undefined) && hasFile
  },
}

function readJsonLine(text: string): Found {
  const { types, path, path_raw } = objectOf(text) ?? {}
  if (!isEvent(types)) return 'foreign'
  if (READS.test(types) && Array.isArray(path_raw)) return { skipped: 'encoding' }
  return found(types, typeof path === 'string' ? path : '')
}

function isEvent(types: unknown): types is string {
  return typeof types === 'string' && /^[RWCOD+<>]{1,12}$/.test(types)
}

function found(event: string, path: string): Found {
  if (!READS.test(event)) return { skipped: 'other' }
  if (!path.startsWith('/')) return { skipped: 'nameless' }
  return path.endsWith(DELETED) ? { skipped: 'created' } : foundPath(path)
}
