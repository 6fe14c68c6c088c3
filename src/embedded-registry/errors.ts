import type { FastifyReply, FastifyRequest } from 'fastify'
import { asStorageFull, StorageFullError } from '../bytes/storage-full.ts'

/** Error codes of OCI distribution-spec 1.1 "Error Codes", and RANGE_INVALID, STORAGE_FULL and UNKNOWN, which it leaves to servers. */
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

/** A request that the registry answers with an error of the distribution specification. */
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
    more: { detail?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.code = code
    this.status = status
    this.detail = more.detail
    this.headers = more.headers ?? {}
  }
}

/** Whether a file operation failed with one of these system codes. */
export function failedWith(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')
}

/** What an error of another origin (the server around the registry, the file system) is called here. */
function named(error: unknown): DistributionError {
  if (error instanceof DistributionError) return error
  const status = (error as { statusCode?: unknown }).statusCode
  if (status === 401) return new DistributionError('UNAUTHORIZED', 401, (error as Error).message)
  if (status === 403) return new DistributionError('DENIED', 403, (error as Error).message)
  if (status === 429) return new DistributionError('TOOMANYREQUESTS', 429, (error as Error).message)
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new DistributionError('UNSUPPORTED', status, (error as Error).message)
  const full = asStorageFull(error, "the registry's disk")
  if (full instanceof StorageFullError) {
    const headers = { 'retry-after': String(full.retryAfterMs / 1000) }
    return new DistributionError('STORAGE_FULL', 507, full.message, { headers })
  }
  return new DistributionError('UNKNOWN', 500, 'the registry failed; its log says why')
}

/** Answers with the error document of OCI distribution-spec 1.1 "Error Codes". Only faults of the server are logged. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { code, status, message, detail, headers } = named(error)
  if (status >= 500) request.log.error({ err: error }, 'embedded registry')
  void reply
    .code(status)
    .headers(headers)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ errors: [{ code, message, detail }] }))
}
