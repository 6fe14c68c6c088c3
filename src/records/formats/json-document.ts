import { type RecordEntry, RecordError } from '../model.ts'
import { foundPath } from './found.ts'

/** The value of a record that is one JSON document. @throws RecordError INVALID_RECORD with the line */
export function parseJsonDocument(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    const at = /position (\d+)/.exec(message)?.[1]
    const line = lineAt(text, at === undefined ? text.length : Number(at))
    throw new RecordError('INVALID_RECORD', `not JSON: ${message}`, line)
  }
}

/** The entry for a path in a document; none for the root directory. @throws RecordError INVALID_RECORD */
export function pathAt(path: unknown, place: string, text: string): RecordEntry[] {
  if (typeof path !== 'string' || path === '') {
    throw new RecordError('INVALID_RECORD', `${place}: expected a path`)
  }
  try {
    const found = foundPath(path)
    return found && 'entry' in found ? [found.entry] : []
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
    const at = text.indexOf(JSON.stringify(path))
    throw new RecordError(error.code, `${place}: ${error.message}`, at < 0 ? undefined : lineAt(text, at))
  }
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}
