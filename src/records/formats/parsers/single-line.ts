import { RecordError } from '../../errors.ts'

/**
 * Asserts that a path fits on one line of a list.
 * @throws RecordError INVALID_RECORD if it has a line break
 */
export function assertSingleLine(path: string): void {
  if (!path.includes('\n')) return
  throw new RecordError(
    'INVALID_RECORD',
    `the path ${JSON.stringify(path)} has a line break, which a list of lines cannot hold; request stargz-record or soci`,
  )
}
