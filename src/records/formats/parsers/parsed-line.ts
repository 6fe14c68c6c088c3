import { cleanName } from '../../../tar/names.ts'
import { RecordError } from '../../errors.ts'
import { RecordEntry, type SkipReason } from '../../model.ts'
import { cleanRecordPath } from '../../record-path.ts'

/** The result of parsing one line of a profile. */
export type ParsedLine =
  /** `isWrapper`: the file is a program that only starts another one, such as `sh -c`. */
  | { readonly kind: 'entry'; readonly entry: RecordEntry; readonly isWrapper?: boolean }
  /** An access that does not become an entry. Only relative paths are reported with `path`. */
  | { readonly kind: 'skipped'; readonly reason: SkipReason; readonly path?: string }
  /** The format has no such line. */
  | { readonly kind: 'foreign' }
  /** A valid line without an access to report, such as a comment, a header or the root directory. */
  | { readonly kind: 'empty' }

export const FOREIGN_LINE: ParsedLine = { kind: 'foreign' }
export const EMPTY_LINE: ParsedLine = { kind: 'empty' }

export function skippedLine(reason: SkipReason): ParsedLine {
  return { kind: 'skipped', reason }
}

/** Returned by decoders for text that is not UTF-8, which a record cannot hold. */
export const NOT_UTF8 = Symbol('not UTF-8')

export type LineFormatOptions = {
  /** Absolute path of the directory in which the first process of the profile started. */
  readonly workingDirectory?: string | undefined
}

/**
 * Parses one line after the other. The RecordErrors that it throws lack the line number; the caller adds it.
 */
export type ParseLine = (text: string) => ParsedLine

/** A format that is read line by line. */
export type LineFormat = {
  /** Whether a line can belong to no other format. Omitted if no line of the format is that distinctive. */
  readonly isDistinctive?: (text: string) => boolean
  readonly createParser: (options: LineFormatOptions) => ParseLine
  /**
   * Whether this is the log of a running program: its foreign lines are skipped; in a list they are errors.
   */
  readonly isLog: boolean
}

/** Mount points of the file systems that a runtime mounts over the image. */
const PSEUDO_FILE_SYSTEMS = new Set(['proc', 'sys', 'dev'])

/** Whether a recorded path is in a file system that no image contains. */
export function isPseudoPath(path: string): boolean {
  return PSEUDO_FILE_SYSTEMS.has(cleanName(path).split('/')[0] ?? '')
}

/**
 * Converts a path to an entry; the root directory becomes an empty line.
 * @throws RecordError INVALID_RECORD
 */
export function parsePath(path: string): ParsedLine {
  const clean = cleanRecordPath(path)
  if (clean === '') return EMPTY_LINE
  const problem = RecordEntry.shape.path.safeParse(clean).error?.issues[0]
  if (problem !== undefined) throw new RecordError('INVALID_RECORD', `the path ${problem.message}`)
  return { kind: 'entry', entry: { path: clean } }
}

/**
 * As {@link parsePath}, for a path that may be relative to the working directory.
 * @throws RecordError INVALID_RECORD
 */
export function parseOpenedPath(path: string, workingDirectory: string | undefined): ParsedLine {
  if (path === '') return skippedLine('nameless')
  if (path.startsWith('/')) return parsePath(path)
  if (workingDirectory === undefined) return { kind: 'skipped', reason: 'relative', path }
  return parsePath(`${workingDirectory}/${path}`)
}
