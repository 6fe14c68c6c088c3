/** The kind of a registry failure. Callers branch on it. */
export type RegistryErrorCode =
  | 'NOT_FOUND'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE'
  | 'NETWORK'
  | 'HOST_NOT_ALLOWED'
  /** The client may not use this repository, see `RepositoryRule`. */
  | 'REPOSITORY_NOT_ALLOWED'
  | 'TOO_LARGE'
  /** The response exceeds one of the `ResponseBounds`. */
  | 'LIMIT_EXCEEDED'
  | 'STREAMING_REFUSED'
  | 'INVALID_RESPONSE'
  | 'CONFLICT'
  /** The registry's storage is full. */
  | 'STORAGE_FULL'
  /** The registry has free storage, but this user or project has used up its quota. */
  | 'QUOTA_EXCEEDED'
  | 'BAD_REQUEST'

/**
 * The operation, a phrase such as "read manifest v1 of team/app", and the host: the start of an error
 * message.
 */
export type RequestContext = { readonly operation: string; readonly host: string }

/** The details of a failure. */
export type RegistryErrorDetails = RequestContext & {
  /** A predicate whose subject is the host, such as "responded 404". */
  readonly reason: string
  readonly status?: number | undefined
  readonly retryable?: boolean | undefined
  readonly retryAfterMs?: number | undefined
  readonly registryCodes?: readonly string[] | undefined
  readonly cause?: unknown
}

/**
 * A registry operation failed. The message names the operation, the host and the reason, and contains no
 * secret.
 */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: RegistryErrorCode
  readonly operation: string
  readonly host: string
  /** The message without operation and host. */
  readonly reason: string
  /** The HTTP status, if a response was received. */
  readonly status: number | undefined
  /** Whether the same operation may succeed later, unchanged. */
  readonly retryable: boolean
  /** The wait that the registry requested, in milliseconds. */
  readonly retryAfterMs: number | undefined
  /** Codes of the distribution-spec 1.1 error body, such as `MANIFEST_BLOB_UNKNOWN`. */
  readonly registryCodes: readonly string[]

  constructor(code: RegistryErrorCode, details: RegistryErrorDetails) {
    super(`${details.operation}: ${details.host} ${details.reason}`, { cause: details.cause })
    this.code = code
    this.operation = details.operation
    this.host = details.host
    this.reason = details.reason
    this.status = details.status
    this.retryable = details.retryable ?? false
    this.retryAfterMs = details.retryAfterMs
    this.registryCodes = details.registryCodes ?? []
  }
}
