import { RecordEntry, RecordError } from '../model.ts'
import { cleanRecordPath, lexicalPath } from '../record-path.ts'

/**
 * Why an access that a profiler wrote down is no entry of the record. `pseudo`: in /proc, /sys or /dev; `failed`: the
 * call failed; `created`: the file is new or gone, so that no image has it; `relative`: from a working directory that
 * the profile does not tell; `nameless`: without a path; `other`: another event, or a last line that was cut off.
 */
export type SkipReason = 'pseudo' | 'failed' | 'created' | 'relative' | 'nameless' | 'other'

/** What one line says: an entry, something that is passed over, or nothing. */
export type Found =
  | { readonly entry: RecordEntry }
  | { readonly skipped: SkipReason; readonly path?: string }
  | undefined

export type LineOptions = {
  /** Absolute: where the first process of the profile started. */
  readonly workingDirectory?: string | undefined
}

/** Reads line after line. Throws a RecordError without its line, which whoever counts lines adds. */
export type ReadLine = (text: string) => Found

/** File systems that a runtime mounts over the image. */
const PSEUDO = new Set(['proc', 'sys', 'dev'])

/** Whether a recorded path is in a file system that no image holds. */
export function isPseudoPath(path: string): boolean {
  return PSEUDO.has(lexicalPath(path).split('/')[0] ?? '')
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
