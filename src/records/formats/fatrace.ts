import { RecordError } from '../model.ts'
import { type Found, foundPath } from './found.ts'

/** Time (`-t`, `-tt`), program, process, user (`-u`), event, path: `12:00:00.1 cat(7) [0:0]: RO /etc/passwd`. */
const LINE = /^(?:\d[\d:]*(?:\.\d+)?\s+(?=\S))?(.*?)\((\d+)\)(?:\s*\[\d+:\d+\])?:\s+([A-Z+<>]+)(?:\s+(.*))?$/
/** Events that show that a file was opened or read. */
const READS = /[OR]/
/** What Linux puts behind the name of a file that is deleted and still open. */
const DELETED = ' (deleted)'

/** Whether a line is one of fatrace. */
export function isFatraceLine(text: string): boolean {
  return LINE.test(text)
}

/**
 * Reads a line of fatrace. Events without O and R are passed over, and so are those whose file had no name any more
 * (`device 8:2 inode 658203`, or nothing). Paths are the kernel's, with symlinks followed.
 * @throws RecordError INVALID_RECORD
 */
export function readFatraceLine(text: string): Found {
  const line = text.trimEnd()
  if (line === '') return undefined
  const [, , , event = '', path = ''] = LINE.exec(line) ?? []
  if (event === '') {
    throw new RecordError('INVALID_RECORD', 'no line of fatrace, such as: cat(7): RO /etc/passwd')
  }
  if (!READS.test(event)) return { skipped: 'other' }
  if (!path.startsWith('/')) return { skipped: 'nameless' }
  return path.endsWith(DELETED) ? { skipped: 'created' } : foundPath(path)
}
