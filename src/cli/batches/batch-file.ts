import { CommandError } from '../failures/errors.ts'
import { fileName } from '../failures/file-failure.ts'
import { parseJsonObject, readTextFile } from '../json-file.ts'

/** The conversions of a batch, as the API takes them. */
export type BatchRequest = {
  readonly conversions: readonly unknown[]
  readonly labels: Readonly<Record<string, unknown>>
}

/**
 * Reads the conversions of a batch: a JSON object, or lines of a source and a target.
 * @param overwrite whether the conversions of lines move tags that point elsewhere
 * @throws CommandError that names the file, and the line
 */
export async function readBatchFile(path: string, overwrite: boolean): Promise<BatchRequest> {
  const text = await readTextFile(path)
  if (!text.trimStart().startsWith('{')) return { conversions: parseLines(path, text, overwrite), labels: {} }
  const { conversions, labels = {} } = parseJsonObject(path, text)
  if (!Array.isArray(conversions))
    throw new CommandError('usage', `${fileName(path)}: expected a list "conversions"`)
  return { conversions, labels: labels as BatchRequest['labels'] }
}

function parseLines(path: string, text: string, overwrite: boolean): unknown[] {
  const lines = text.split('\n').map((line) => line.replace(/(^|\s)#.*/, '').trim())
  const conversions = lines.flatMap((line, i) => {
    if (line === '') return []
    const [source, target, ...more] = line.split(/\s+/)
    if (target === undefined || more.length > 0) {
      throw new CommandError('usage', `${fileName(path)}: line ${i + 1}: expected SOURCE TARGET`)
    }
    return [{ source, target, ...(overwrite && { overwrite: true }) }]
  })
  if (conversions.length === 0) throw new CommandError('usage', `${fileName(path)}: has no conversions`)
  return conversions
}
