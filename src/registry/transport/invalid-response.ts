import type { z } from 'zod'
import { detectCompression } from '../../bytes/content-encoding.ts'
import { DocumentError, parseDocument } from '../../oci/documents.ts'
import { RegistryError } from '../errors.ts'
import { excerpt, plain } from './error-body.ts'
import type { RegistryResponse } from './response.ts'

/**
 * The error for an answer that is not what was asked for, with what came instead: a registry that says nothing has not
 * said that there is nothing.
 * @param why what is wrong with it, such as "no list of tags"
 */
export function invalidResponse(
  answer: RegistryResponse,
  bytes: Buffer,
  why: string,
  place: Place,
): RegistryError {
  const { status } = answer
  const type = plain(answer.header('content-type') ?? '') || 'no content type'
  const came = detectCompression(bytes) === 'gzip' ? 'bytes of gzip that it does not call so' : excerpt(bytes)
  const whole = `answered ${status} with ${why}; what came is ${came} (${type})`
  return new RegistryError('INVALID_RESPONSE', { ...place, why: whole, status })
}

type Place = { readonly operation: string; readonly host: string }

/** A document of a registry by its schema. @throws RegistryError INVALID_RESPONSE */
export function parseResponse<Schema extends z.ZodType>(
  schema: Schema,
  { answer, bytes }: { readonly answer: RegistryResponse; readonly bytes: Buffer },
  what: string,
  place: Place,
): z.output<Schema> {
  try {
    return parseDocument(schema, bytes, what)
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    // A parser quotes its text, which is told in full and without markup anyway.
    const reason = isJson(bytes) ? error.message : `${what} is no JSON document`
    throw invalidResponse(answer, bytes, reason, place)
  }
}

/** Whether bytes are a JSON document of any kind. */
export function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'))
    return true
  } catch {
    return false
  }
}
