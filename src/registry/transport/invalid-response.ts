import type { z } from 'zod'
import { detectCompression } from '../../bytes/content-encoding.ts'
import { DocumentError } from '../../oci/document-error.ts'
import { parseDocument } from '../../oci/documents.ts'
import { RegistryError, type RequestContext } from '../errors.ts'
import { describeBody, toSingleLine } from './error-body.ts'
import type { RegistryResponse } from './registry-response.ts'

/** A response with its whole body. */
export type BufferedResponse = { readonly response: RegistryResponse; readonly bytes: Buffer }

/**
 * The error for a response without the requested document. It quotes the body: such a response does not mean
 * that the document does not exist.
 * @param problem such as "no list of tags"
 */
export function invalidResponse(
  { response, bytes }: BufferedResponse,
  problem: string,
  { operation, host }: RequestContext,
): RegistryError {
  const { status } = response
  const type = toSingleLine(response.header('content-type') ?? '') || 'no content type'
  const isUndeclaredGzip = detectCompression(bytes) === 'gzip'
  const body = isUndeclaredGzip ? 'gzip bytes without Content-Encoding' : describeBody(bytes)
  const reason = `responded ${status} with ${problem}; received ${body} (${type})`
  return new RegistryError('INVALID_RESPONSE', { operation, host, reason, status })
}

/**
 * Parses a response by a schema.
 * @param what names the document in errors
 * @throws RegistryError INVALID_RESPONSE
 */
export function parseResponse<Schema extends z.ZodType>(
  schema: Schema,
  buffered: BufferedResponse,
  what: string,
  context: RequestContext,
): z.output<Schema> {
  try {
    return parseDocument(schema, buffered.bytes, what)
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error
    // A JSON parser's message quotes the body, which invalidResponse does as well, in full and without
    // markup.
    const problem = isJson(buffered.bytes) ? error.message : `${what} that is not JSON`
    throw invalidResponse(buffered, problem, context)
  }
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'))
    return true
  } catch {
    return false
  }
}
