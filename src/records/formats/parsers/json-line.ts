import { RecordError } from '../../errors.ts'

/** Parses a line as a JSON object; undefined for any other text. */
export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  const trimmed = text.trim()
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return undefined
  try {
    return objectOrUndefined(trimmed)
  } catch {
    return undefined
  }
}

/** Parses a line as a JSON object. @throws RecordError INVALID_RECORD */
export function requireJsonObject(text: string): Record<string, unknown> {
  try {
    const object = objectOrUndefined(text)
    if (object !== undefined) return object
  } catch (error) {
    throw new RecordError('INVALID_RECORD', `not JSON: ${(error as Error).message}`)
  }
  throw new RecordError('INVALID_RECORD', 'expected a JSON object with a path')
}

function objectOrUndefined(text: string): Record<string, unknown> | undefined {
  const value: unknown = JSON.parse(text)
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Record<string, unknown>) : undefined
}
