import { RegistryError, type RegistryErrorCode } from '../errors.ts'
import { type ErrorBody, parseErrorBody, plain } from './error-body.ts'
import { type CredentialStatus, connectionHint, refusalHint, responseHint } from './hints.ts'

/** Statuses that are worth another try: seen from registries and the proxies before them. */
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

/** Refusals whose words may be about a quota: some registries have no other code for it. */
const MAY_BE_QUOTA: ReadonlySet<RegistryErrorCode> = new Set([
  'UNAUTHORIZED',
  'DENIED',
  'CONFLICT',
  'TOO_LARGE',
  'STORAGE_FULL',
  'BAD_REQUEST',
])
/** The words of Harbor, Quay, GitLab and the clouds for it. What is a part of a path is no word. */
const QUOTA = /(?<![\w/.-])quotas?(?![\w/-])|storage (?:limit|resource)|insufficient storage/i
/** A longer wait is not believed: the registry is asked again by then. */
const MAX_WAIT_MS = 24 * 60 * 60 * 1000

/** What was answered with an unexpected status. `body` is its (capped) body. */
export type ErrorResponse = {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: string
  /** What became of the credentials, where that is known of a refusal. */
  readonly standing?: CredentialStatus | undefined
}

/** The error for an answer with an unexpected status. */
export function responseError(answer: ErrorResponse, operation: string, host: string): RegistryError {
  const { status, body } = answer
  const words = parseErrorBody(body)
  const code = codeOf(status, words)
  const isRefusal = code === 'UNAUTHORIZED' || code === 'DENIED'
  const wait = retryAfterMs(answer.retryAfter)
  const why = [
    `answered ${status}`,
    words.text && ` (${words.text})`,
    wait ? `; it asks to wait ${Math.ceil(wait / 1000)} seconds` : '',
    isRefusal && answer.standing ? refusalHint(answer.standing) : responseHint(code, status, body, host),
  ]
  return new RegistryError(code, {
    operation,
    host,
    why: why.join(''),
    status,
    retryable: RETRYABLE_STATUSES.has(status) || code === 'RATE_LIMITED',
    retryAfterMs: wait,
    registryCodes: words.codes,
  })
}

function codeOf(status: number, { text, codes }: ErrorBody): RegistryErrorCode {
  if (codes.includes('TOOMANYREQUESTS')) return 'RATE_LIMITED'
  const isLate = RETRYABLE_STATUSES.has(status) || status >= 500
  const code = CODES[status] ?? (isLate ? 'UNAVAILABLE' : 'BAD_REQUEST')
  const isAboutQuota = QUOTA.test(text) || codes.some((one) => /QUOTA/i.test(one))
  return MAY_BE_QUOTA.has(code) && isAboutQuota ? 'QUOTA_EXCEEDED' : code
}

/** Reads Retry-After: seconds or an HTTP date (RFC 9110, 10.2.3); at most a day. */
export function retryAfterMs(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Math.min(Number(value) * 1000, MAX_WAIT_MS)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), MAX_WAIT_MS)
}

/** Errors of name resolution and TLS that another try will not mend. */
const LASTING =
  /^(ENOTFOUND|ERR_INVALID|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|UND_ERR_INVALID)/

/**
 * The error for an exchange that ended without a whole answer.
 * @param to where it went, so that the message names the setting that helps
 */
export function networkError(
  error: unknown,
  operation: string,
  host: string,
  to?: { readonly url: URL; readonly named: string },
): RegistryError {
  if (error instanceof RegistryError) return error
  const inner = innermost(error)
  const { code, message } = inner
  const lasting = LASTING.test(code) || /certificate|wrong version number|packet length/i.test(message)
  const hint = to === undefined ? '' : connectionHint(inner, to.url, to.named)
  return new RegistryError('NETWORK', {
    operation,
    host,
    why: `gave no whole answer: ${plain(message || code || 'connection lost')}${hint}`,
    retryable: !lasting,
    cause: error,
  })
}

/** The cause at the bottom, and one of several causes: the message that says something. */
function innermost(error: unknown): { code: string; message: string; name: string } {
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
