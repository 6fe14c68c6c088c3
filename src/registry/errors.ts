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
  /** The registry has room, but not for this user or project. */
  | 'QUOTA_EXCEEDED'
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
  /** The reason, without act and host. */
  readonly why: string
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
    this.why = failure.why
    this.status = failure.status
    this.retryable = failure.retryable ?? false
    this.retryAfterMs = failure.retryAfterMs
    this.registryCodes = failure.registryCodes ?? []
  }
}
