import { RecordError } from '../model.ts'
import { type Found, foundPath } from './found.ts'
import { isSignalLine } from './nydus-list.ts'
import { jsonObject } from './stargz-record.ts'

/**
 * Reads a line of nydus-snapshotter's optimizer: `{"path":"/a","size":1,"elapsed":2}`; a last line can tell of the
 * signal that ended it. How long a read took is not needed: the order of the lines is that of first access.
 * @throws RecordError INVALID_RECORD
 */
export function readNydusJsonLine(text: string): Found {
  const trimmed = text.trim()
  if (trimmed === '') return undefined
  if (isSignalLine(trimmed)) return { skipped: 'other' }
  const { path } = jsonObject(trimmed)
  if (typeof path !== 'string') throw new RecordError('INVALID_RECORD', 'path: expected text')
  return path === '' ? { skipped: 'nameless' } : foundPath(path)
}
