import { escapeGlob, isGlobPattern, literalOf, looksLikeGlob } from '../../glob/glob.ts'
import type { RecordEntry } from '../../model.ts'
import { cleanRecordPath } from '../../record-path.ts'
import { withoutBreak } from './line-break.ts'
import { isSignalLine } from './nydus-list.ts'
import { type Found, foundPath, type LineFormat } from './parsed-line.ts'

/**
 * A path list, as `ctr-remote image optimize --prefetch-list` reads it: a path or a glob a line, with or
 * without a leading slash; blank lines and those that begin with `#` say nothing. The root directory is passed
 * over. A line that would be a malformed glob is a path: there are programs called `[`.
 */
export const pathList: LineFormat = { isLog: false, reader: () => readLine }

function readLine(text: string): Found {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.startsWith('#')) return undefined
  if (isSignalLine(trimmed)) return { skipped: 'other' }
  if (!looksLikeGlob(trimmed)) return foundPath(trimmed)
  const literal = literalOf(trimmed)
  if (literal !== undefined) return foundPath(literal)
  const found = foundPath(trimmed)
  // Without its empty and `.` parts it may be another pattern, or none.
  const pattern = cleanRecordPath(trimmed)
  if (!isGlobPattern(pattern) || typeof found !== 'object' || !('entry' in found)) return found
  return { entry: { path: pattern, glob: true } }
}

/** What messages have around a path, and names of files hardly ever. */
const MESSAGES: readonly RegExp[] = [
  // `/bin/sh: 1: x: not found`, `/etc:`, `/etc/hosts:1:127.0.0.1`
  /:(?:\s|$|\d+:)/,
  // A sentence, a command line, a table.
  /[\s"'(]\/|\s--?[A-Za-z]/,
  /\t|^[^/]*\S {2,}\S/,
  // `libc.so.6 => …`, `a -> b`, `HOME=/root`, an address, markup, a comment, colours.
  /\s[-=]>\s/,
  /^[A-Za-z_]\w*=/,
  /^[a-z][a-z0-9+.-]*:\/\//i,
  /^<|^\/\/\s|^\/\*\s|^\{\s*"/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what terminals are told colours with.
  /\x1b/,
  /\s(?:\(0x[0-9a-f]+\)|HTTP\/\d)/,
  // inotifywait, in each of its formats.
  /[\s,](?:ACCESS|MODIFY|ATTRIB|CLOSE|CLOSE_WRITE|CLOSE_NOWRITE|OPEN|MOVED_TO|MOVED_FROM|CREATE|DELETE)(?:,[A-Z_]+)*(?:[\s,]|$)/,
]

/** What a line of a list that nobody named says of it: `rooted`, it is a list; `fits`, it may be one; `no`, it is none. */
export function listEvidence(text: string): 'rooted' | 'fits' | 'no' | 'nothing' {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === '.' || trimmed.startsWith('#') || isSignalLine(trimmed)) return 'nothing'
  if (!trimmed.includes('/') || trimmed.includes('\0') || MESSAGES.some((shape) => shape.test(trimmed)))
    return 'no'
  return /^\.{0,2}\//.test(trimmed) ? 'rooted' : 'fits'
}

/**
 * The record as a path list: a path a line, with a leading slash, in the record's order. Reading it gives the
 * same paths and globs; what says where a file was seen is lost.
 * @throws RecordError INVALID_RECORD for a path with a line break
 */
export function writePathList(entries: readonly RecordEntry[]): string {
  return entries.map((entry) => `${lineOf(entry)}\n`).join('')
}

function lineOf(entry: RecordEntry): string {
  const text = !entry.glob && looksLikeGlob(entry.path) ? escapeGlob(entry.path) : entry.path
  // Readers trim lines; they also drop a trailing slash, which protects a space before it.
  return `/${withoutBreak(text)}${text.trimEnd() === text ? '' : '/'}`
}
