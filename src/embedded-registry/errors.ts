import type { FastifyReply, FastifyRequest } from 'fastify'
import { asStorageFullError, StorageFullError } from '../bytes/storage-full-error.ts'

/**
 * Codes of OCI distribution-spec 1.1 "Error Codes"; RANGE_INVALID, STORAGE_FULL and UNKNOWN are additions.
 */
export type DistributionCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'RANGE_INVALID'
  | 'SIZE_INVALID'
  | 'STORAGE_FULL'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNKNOWN'
  | 'UNSUPPORTED'

/**
 * A request failed. Its response has this status, these headers and an error body of the distribution-spec.
 */
export class DistributionError extends Error {
  override readonly name = 'DistributionError'
  readonly code: DistributionCode
  readonly status: number
  readonly detail: unknown
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: DistributionCode,
    status: number,
    message: string,
    { detail, headers = {} }: { detail?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.code = code
    this.status = status
    this.detail = detail
    this.headers = headers
  }
}

/** Whether a file operation failed with one of these system error codes. */
export function hasSystemErrorCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')
}

/** Returns what a file operation returns; undefined if the file does not exist. */
export async function ifExists<Result>(operation: Promise<Result>): Promise<Result | undefined> {
  try {
    return await operation
  } catch (error) {
    if (hasSystemErrorCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Finds the status of an error of the surrounding server; undefined if it has none. */
export type StatusOf = (error: unknown) => number | undefined

/** The status that Fastify and its plugins give their errors. */
const statusCodeOf: StatusOf = (error) => {
  const { statusCode } = error as { statusCode?: unknown }
  return typeof statusCode === 'number' ? statusCode : undefined
}

/** Converts an error of the surrounding server or of the file system. */
function toDistributionError(error: unknown, statusOf: StatusOf): DistributionError {
  if (error instanceof DistributionError) return error
  const status = statusOf(error)
  if (status === 401) return new DistributionError('UNAUTHORIZED', 401, (error as Error).message)
  if (status === 403) return new DistributionError('DENIED', 403, (error as Error).message)
  if (status === 429) return new DistributionError('TOOMANYREQUESTS', 429, (error as Error).message)
  if (status !== undefined && status >= 400 && status < 500)
    return new DistributionError('UNSUPPORTED', status, (error as Error).message)
  const storageError = asStorageFullError(error, "the registry's disk")
  if (storageError instanceof StorageFullError) {
    const headers = { 'retry-after': String(storageError.retryAfterMs / 1000) }
    return new DistributionError('STORAGE_FULL', 507, storageError.message, { headers })
  }
  if (status === 503) return new DistributionError('UNKNOWN', 503, (error as Error).message)
  return new DistributionError('UNKNOWN', 500, 'the registry failed internally; see its log for the cause')
}

/**
 * Sends the error body of OCI distribution-spec 1.1 "Error Codes". Logs server errors only.
 * @param statusOf of errors of the surrounding server
 */
export function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  statusOf: StatusOf = statusCodeOf,
): void {
  const { code, status, message, detail, headers } = toDistributionError(error, statusOf)
  if (status >= 500) request.log.error({ err: error }, 'embedded registry')
  void reply
    .code(status)
    .headers(headers)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ errors: [{ code, message, detail }] }))
}
