import { AddressNotAllowedError } from '../egress/guarded-connector.ts'
import { RegistryError, type RegistryErrorCode, type RequestContext } from '../errors.ts'
import { type ErrorBody, parseErrorBody, toSingleLine } from './error-body.ts'
import {
  type ConnectionFailure,
  type CredentialStatus,
  connectionHint,
  credentialHint,
  responseHint,
} from './hints.ts'

/** Statuses that registries, and proxies in front of them, were observed to send for transient failures. */
const RETRYABLE_STATUSES = new Set([408, 429, 499, 500, 502, 503, 504, 522])

const CODES: Readonly<Record<number, RegistryErrorCode>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  412: 'CONFLICT',
  413: 'TOO_LARGE',
  429: 'RATE_LIMITED',
  507: 'STORAGE_FULL',
}

/** Codes whose text may be about a quota: some registries have no status or error code for it. */
const MAY_BE_QUOTA: ReadonlySet<RegistryErrorCode> = new Set([
  'UNAUTHORIZED',
  'DENIED',
  'CONFLICT',
  'TOO_LARGE',
  'STORAGE_FULL',
  'BAD_REQUEST',
])
/**
 * The wording of Harbor, Quay, GitLab and the clouds. A path segment, such as a repository called quota, does
 * not match.
 */
const QUOTA = /(?<![\w/.-])quotas?(?![\w/-])|storage (?:limit|resource)|insufficient storage/i
/** A longer Retry-After is cut to a day. */
const MAX_WAIT_MS = 24 * 60 * 60 * 1000

/** A response with an unexpected status. */
export type ErrorResponse = {
  readonly status: number
  readonly retryAfter: string | undefined
  /** The start of the body. */
  readonly body: string
  /** How the credentials were used, if known. */
  readonly credentialStatus?: CredentialStatus | undefined
}

/** Converts a response with an unexpected status to an error. */
export function responseError(response: ErrorResponse, { operation, host }: RequestContext): RegistryError {
  const { status, body, credentialStatus } = response
  const errorBody = parseErrorBody(body)
  const code = errorCode(status, errorBody)
  const isDenial = code === 'UNAUTHORIZED' || code === 'DENIED'
  const wait = parseRetryAfterMs(response.retryAfter)
  const reason = [
    `responded ${status}`,
    errorBody.text && ` (${errorBody.text})`,
    wait ? `; it requests a wait of ${Math.ceil(wait / 1000)} seconds` : '',
    isDenial && credentialStatus ? credentialHint(credentialStatus) : responseHint(code, status, body, host),
  ]
  return new RegistryError(code, {
    operation,
    host,
    reason: reason.join(''),
    status,
    retryable: RETRYABLE_STATUSES.has(status) || code === 'RATE_LIMITED',
    retryAfterMs: wait,
    registryCodes: errorBody.codes,
  })
}

function errorCode(status: number, { text, codes }: ErrorBody): RegistryErrorCode {
  if (codes.includes('TOOMANYREQUESTS')) return 'RATE_LIMITED'
  const isUnavailable = RETRYABLE_STATUSES.has(status) || status >= 500
  const code = CODES[status] ?? (isUnavailable ? 'UNAVAILABLE' : 'BAD_REQUEST')
  const isAboutQuota = QUOTA.test(text) || codes.some((registryCode) => /QUOTA/i.test(registryCode))
  return MAY_BE_QUOTA.has(code) && isAboutQuota ? 'QUOTA_EXCEEDED' : code
}

/** Parses Retry-After, in seconds or as an HTTP date (RFC 9110, 10.2.3), to milliseconds; at most a day. */
export function parseRetryAfterMs(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Math.min(Number(value) * 1000, MAX_WAIT_MS)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), MAX_WAIT_MS)
}

/** Codes of name resolution and TLS failures that a retry does not fix. */
const PERMANENT_FAILURE =
  /^(ENOTFOUND|ERR_INVALID|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|UND_ERR_INVALID)/

/**
 * Converts an error of a connection that failed before the end of a response; returns a RegistryError
 * unchanged.
 * @param target the address that was dialled and the host to name in the hint, if the connection was being
 * opened
 */
export function networkError(
  error: unknown,
  { operation, host }: RequestContext,
  target?: { readonly url: URL; readonly host: string },
): RegistryError {
  if (error instanceof RegistryError) return error
  if (error instanceof AddressNotAllowedError) {
    const reason = `was not dialled: ${error.message}`
    return new RegistryError('HOST_NOT_ALLOWED', { operation, host, reason, cause: error })
  }
  const failure = innermostFailure(error)
  const { code, message } = failure
  const isPermanent =
    PERMANENT_FAILURE.test(code) || /certificate|wrong version number|packet length/i.test(message)
  const hint = target === undefined ? '' : connectionHint(failure, target.url, target.host)
  return new RegistryError('NETWORK', {
    operation,
    host,
    reason: `did not complete a response: ${toSingleLine(reasonOf(message) || code || 'connection lost')}${hint}`,
    retryable: !isPermanent,
    cause: error,
  })
}

/** The messages of OpenSSL have their reason among ids, functions and places in its sources. */
function reasonOf(message: string): string {
  return /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1] ?? message
}

/** Follows causes, and the first of several errors, to the error with the informative message. */
function innermostFailure(error: unknown): ConnectionFailure {
  let inner = error
  for (let depth = 0; depth < 5; depth++) {
    if (inner instanceof AggregateError && inner.errors.length > 0) inner = inner.errors[0]
    else if (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
    else break
  }
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : ''
  const name = inner instanceof Error ? inner.name : ''
  return { code, message: inner instanceof Error ? inner.message : String(inner), name }
}
