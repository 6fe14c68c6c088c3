import { type RecordEntry, RecordError } from '../model.ts'
import { parseJsonDocument, pathAt } from './json-document.ts'

/**
 * Reads the list of SOCI's `--prefetch-files-json`: a JSON array of paths.
 * @throws RecordError INVALID_RECORD, naming the element
 */
export function readSociList(text: string): RecordEntry[] {
  const list = parseJsonDocument(text)
  if (!Array.isArray(list)) throw new RecordError('INVALID_RECORD', 'expected a JSON array of paths')
  return list.flatMap((path, i) => pathAt(path, `[${i}]`, text))
}
