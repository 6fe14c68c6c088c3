import { escapeGlob, isGlobPattern, literalOf, looksLikeGlob } from '../../glob/glob.ts'
import type { RecordEntry } from '../../model.ts'
import { cleanRecordPath } from '../../record-path.ts'
import { isSignalLine } from './nydus-list.ts'
import { EMPTY_LINE, type LineFormat, type ParsedLine, parsePath, skippedLine } from './parsed-line.ts'
import { assertSingleLine } from './single-line.ts'

/**
 * A path list, as `ctr-remote image optimize --prefetch-list` reads it: one path or glob per line, with or
 * without a leading slash. Blank lines, comments (`#`) and the root directory are ignored. A malformed glob
 * is read as a path, because there are programs called `[`.
 */
export const pathList: LineFormat = { isLog: false, createParser: () => parseLine }

function parseLine(text: string): ParsedLine {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed.startsWith('#')) return EMPTY_LINE
  if (isSignalLine(trimmed)) return skippedLine('other')
  if (!looksLikeGlob(trimmed)) return parsePath(trimmed)
  const literal = literalOf(trimmed)
  if (literal !== undefined) return parsePath(literal)
  const line = parsePath(trimmed)
  // Cleaning drops empty and `.` parts, which can change the pattern or break it.
  const pattern = cleanRecordPath(trimmed)
  if (!isGlobPattern(pattern) || line.kind !== 'entry') return line
  return { kind: 'entry', entry: { path: pattern, glob: true } }
}

/** Text that messages put around a path and that file names hardly ever contain. */
const MESSAGE_PATTERNS: readonly RegExp[] = [
  // `/bin/sh: 1: x: not found`, `/etc:`, `/etc/hosts:1:127.0.0.1`
  /:(?:\s|$|\d+:)/,
  // A sentence, a command line, a table.
  /[\s"'(]\/|\s--?[A-Za-z]/,
  /\t|^[^/]*\S {2,}\S/,
  // `libc.so.6 => …`, `a -> b`, `HOME=/root`, a URL, markup, a comment, colours.
  /\s[-=]>\s/,
  /^[A-Za-z_]\w*=/,
  /^[a-z][a-z0-9+.-]*:\/\//i,
  /^<|^\/\/\s|^\/\*\s|^\{\s*"/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals use it for colours.
  /\x1b/,
  /\s(?:\(0x[0-9a-f]+\)|HTTP\/\d)/,
  // inotifywait, in all its output formats.
  /[\s,](?:ACCESS|MODIFY|ATTRIB|CLOSE|CLOSE_WRITE|CLOSE_NOWRITE|OPEN|MOVED_TO|MOVED_FROM|CREATE|DELETE)(?:,[A-Z_]+)*(?:[\s,]|$)/,
]

/**
 * Rates a line of a record whose format is not named. `rooted`: it is a line of a path list; `possible`: it
 * may be one; `impossible`: it is not; `irrelevant`: blank lines and comments prove nothing.
 */
export function pathListEvidence(text: string): 'rooted' | 'possible' | 'impossible' | 'irrelevant' {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === '.' || trimmed.startsWith('#') || isSignalLine(trimmed)) {
    return 'irrelevant'
  }
  const isMessage = MESSAGE_PATTERNS.some((pattern) => pattern.test(trimmed))
  if (!trimmed.includes('/') || trimmed.includes('\0') || isMessage) return 'impossible'
  return /^\.{0,2}\//.test(trimmed) ? 'rooted' : 'possible'
}

/**
 * Writes the record as a path list: one path per line, with a leading slash, in the record's order. Reading
 * the list returns the same paths and globs; `manifestDigest` and `layerIndex` are lost.
 * @throws RecordError INVALID_RECORD for a path with a line break
 */
export function writePathList(entries: readonly RecordEntry[]): string {
  return entries.map((entry) => `${toLine(entry)}\n`).join('')
}

function toLine(entry: RecordEntry): string {
  const text = !entry.glob && looksLikeGlob(entry.path) ? escapeGlob(entry.path) : entry.path
  assertSingleLine(text)
  // Readers trim lines. A trailing slash, which they drop too, protects a trailing space.
  return `/${text}${text.trimEnd() === text ? '' : '/'}`
}
