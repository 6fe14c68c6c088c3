import { cleanName } from '../../../tar/names.ts'
import { RecordEntry, RecordError, type SkipReason } from '../../model.ts'
import { cleanRecordPath } from '../../record-path.ts'

/**
 * What one line says: an entry, an access that is passed over, or nothing. `foreign`: the format has no such line.
 * `isWrapper`: it is a program that only starts another one, such as `sh -c`.
 */
export type Found =
  | { readonly entry: RecordEntry; readonly isWrapper?: boolean }
  | { readonly skipped: SkipReason; readonly path?: string }
  | 'foreign'
  | undefined

export type LineOptions = {
  /** Absolute: where the first process of the profile started. */
  readonly workingDirectory?: string | undefined
}

/** Reads line after line. Throws a RecordError without its line, which whoever counts lines adds. */
export type ReadLine = (text: string) => Found

/** A format that is read line by line. */
export type LineFormat = {
  /** Whether a line can be taken for nothing but this format. Left out: no line of it tells. */
  readonly proves?: (text: string) => boolean
  readonly reader: (options: LineOptions) => ReadLine
  /** The log of a running program: what is foreign in it is passed over, where it would be an error in a list. */
  readonly isLog: boolean
}

/** File systems that a runtime mounts over the image. */
const PSEUDO = new Set(['proc', 'sys', 'dev'])

/** Whether a recorded path is in a file system that no image holds. */
export function isPseudoPath(path: string): boolean {
  return PSEUDO.has(cleanName(path).split('/')[0] ?? '')
}

/** A path as an entry; undefined for the root directory. @throws RecordError INVALID_RECORD */
export function foundPath(path: string): Found {
  const clean = cleanRecordPath(path)
  if (clean === '') return undefined
  const problem = RecordEntry.shape.path.safeParse(clean).error?.issues[0]
  if (problem !== undefined) throw new RecordError('INVALID_RECORD', `the path ${problem.message}`)
  return { entry: { path: clean } }
}

/** A path that a program opened, which may be relative to its working directory. @throws RecordError INVALID_RECORD */
export function openedPath(path: string, workingDirectory: string | undefined): Found {
  if (path === '') return { skipped: 'nameless' }
  if (path.startsWith('/')) return foundPath(path)
  if (workingDirectory === undefined) return { skipped: 'relative', path }
  return foundPath(`${workingDirectory}/${path}`)
}
