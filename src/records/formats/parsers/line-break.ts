import { RecordError } from '../../model.ts'

/** A path for a list of lines. @throws RecordError INVALID_RECORD when it has a line break */
export function withoutBreak(path: string): string {
  if (!path.includes('\n')) return path
  throw new RecordError(
    'INVALID_RECORD',
    `the path ${JSON.stringify(path)} has a line break, which a list of lines cannot hold; ask for stargz-record or soci`,
  )
}
