import { type RecordEntry, RecordError } from '../model.ts'
import { parseJsonDocument, pathAt } from './json-document.ts'

/**
 * Reads the list of `nydusify optimize --prefetch-files`: `{"version":"v1","files":[{"path":"/a","ranges":[[0,20]]}]}`.
 * Ranges are passed over: eStargz prioritizes whole files.
 * @throws RecordError INVALID_RECORD, naming the element
 */
export function readNydusifyList(text: string): RecordEntry[] {
  const { files } = (parseJsonDocument(text) ?? {}) as { files?: unknown }
  if (!Array.isArray(files)) {
    throw new RecordError('INVALID_RECORD', 'expected a JSON object with an array of files')
  }
  return files.flatMap((file: { path?: unknown } | null, i) => pathAt(file?.path, `files[${i}].path`, text))
}
