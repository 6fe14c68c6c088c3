/** What went wrong at a registry; callers branch on it. */
export type RegistryErrorCode =
  | 'NOT_FOUND'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE'
  | 'NETWORK'
  | 'HOST_NOT_ALLOWED'
  | 'TOO_LARGE'
  /** The answer passes one of the AnswerBounds. */
  | 'LIMIT_EXCEEDED'
  | 'STREAMING_REFUSED'
  | 'INVALID_RESPONSE'
  | 'CONFLICT'
  /** The registry has no room. */
  | 'STORAGE_FULL'
  | 'BAD_REQUEST'

/** The facts of a failure. `operation` is a phrase such as "read manifest v1 of team/app". */
export type RegistryFailure = {
  readonly operation: string
  readonly host: string
  readonly why: string
  readonly status?: number | undefined
  readonly retryable?: boolean | undefined
  readonly retryAfterMs?: number | undefined
  readonly registryCodes?: readonly string[] | undefined
  readonly cause?: unknown
}

/** A failed act at a registry. The message names the act, the host and the reason, and holds no secret. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: RegistryErrorCode
  readonly operation: string
  readonly host: string
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined
  /** Whether the same act may succeed later, unchanged. */
  readonly retryable: boolean
  /** The wait that the registry asked for. */
  readonly retryAfterMs: number | undefined
  /** Codes of the distribution-spec 1.1 error body, such as `MANIFEST_BLOB_UNKNOWN`. */
  readonly registryCodes: readonly string[]

  constructor(code: RegistryErrorCode, failure: RegistryFailure) {
    super(`${failure.operation}: ${failure.host} ${failure.why}`, { cause: failure.cause })
    this.code = code
    this.operation = failure.operation
    this.host = failure.host
    this.status = failure.status
    this.retryable = failure.retryable ?? false
    this.retryAfterMs = failure.retryAfterMs
    this.registryCodes = failure.registryCodes ?? []
  }
}

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

const MESSAGE_LENGTH = 300

/** The error for an answer with an unexpected status. `body` is its (capped) body. */
export function answerError(
  answer: { status: number; retryAfter: string | undefined; body: string },
  operation: string,
  host: string,
): RegistryError {
  const { status } = answer
  const listed = listedErrors(answer.body)
  const retryable = RETRYABLE_STATUSES.has(status)
  const code = CODES[status] ?? (retryable || status >= 500 ? 'UNAVAILABLE' : 'BAD_REQUEST')
  const said = listed.map((error) => [error.code, error.message].filter(Boolean).join(': ')).join('; ')
  const reason = plain(said === '' ? answer.body : said)
  return new RegistryError(code, {
    operation,
    host,
    why: `answered ${status}${reason === '' ? '' : ` (${reason})`}${hint(code)}`,
    status,
    retryable,
    retryAfterMs: retryAfterMs(answer.retryAfter),
    registryCodes: listed.map((error) => error.code),
  })
}

function hint(code: RegistryErrorCode): string {
  if (code === 'UNAUTHORIZED') return '; check the credentials for this registry'
  if (code === 'DENIED') return '; the credentials, or their absence, do not allow this'
  return ''
}

/** The `errors` of a distribution-spec 1.1 error body, as far as it is one. */
function listedErrors(body: string): { code: string; message: string }[] {
  try {
    const errors: unknown = JSON.parse(body)?.errors
    if (!Array.isArray(errors)) return []
    return errors.slice(0, 3).map((error) => ({
      code: String(error?.code ?? ''),
      message: String(error?.message ?? ''),
    }))
  } catch {
    return []
  }
}

/** Text from outside, fit for one line of a log: no control characters, no markup page, bounded. */
function plain(text: string): string {
  if (/^\s*</.test(text)) return ''
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, MESSAGE_LENGTH)
}

/** Reads Retry-After: seconds or an HTTP date (RFC 9110, 10.2.3). */
export function retryAfterMs(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Errors of name resolution and TLS that another try will not mend. */
const LASTING =
  /^(ENOTFOUND|ERR_INVALID|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|UND_ERR_INVALID)/

/** The error for an exchange that ended without a whole answer. */
export function networkError(error: unknown, operation: string, host: string): RegistryError {
  if (error instanceof RegistryError) return error
  const { code, message } = innermost(error)
  const lasting = LASTING.test(code) || /certificate|wrong version number|packet length/i.test(message)
  return new RegistryError('NETWORK', {
    operation,
    host,
    why: `gave no whole answer: ${plain(message || code || 'connection lost')}`,
    retryable: !lasting,
    cause: error,
  })
}

/** The cause at the bottom, and one of several causes: the message that says something. */
function innermost(error: unknown): { code: string; message: string } {
  let inner = error
  for (let depth = 0; depth < 5; depth++) {
    if (inner instanceof AggregateError && inner.errors.length > 0) inner = inner.errors[0]
    else if (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
    else break
  }
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : ''
  return { code, message: inner instanceof Error ? inner.message : String(inner) }
}
