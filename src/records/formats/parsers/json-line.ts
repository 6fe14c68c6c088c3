import { RecordError } from '../../model.ts'

/** The JSON object that a line is; undefined when it is none. */
export function objectOf(text: string): Record<string, unknown> | undefined {
  const trimmed = text.trim()
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return undefined
  try {
    return objectIn(trimmed)
  } catch {
    return undefined
  }
}

/** The JSON object that a line is. @throws RecordError INVALID_RECORD */
export function jsonObject(text: string): Record<string, unknown> {
  try {
    const value = objectIn(text)
    if (value !== undefined) return value
  } catch (error) {
    throw new RecordError('INVALID_RECORD', `not JSON: ${(error as Error).message}`)
  }
  throw new RecordError('INVALID_RECORD', 'expected a JSON object with a path')
}

function objectIn(text: string): Record<string, unknown> | undefined {
  const value: unknown = JSON.parse(text)
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Record<string, unknown>) : undefined
}
