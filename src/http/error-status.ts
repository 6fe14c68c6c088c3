import type { TooManyCredentialsError } from '../access/credentials/errors.ts'
import type { AccessErrorCode } from '../access/errors.ts'
import type { LoginError, LoginsBusyError } from '../access/login/login-error.ts'
import type { IssuerUnavailableError } from '../access/oidc/issuer-unavailable-error.ts'
import type {
  ProjectInUseError,
  ProjectNotFoundError,
  TooManyProjectsError,
} from '../access/projects/errors.ts'
import type { NoSecretKeyError, TokenNotUsableError, TooManyTokensError } from '../access/tokens/errors.ts'
import type { AnalyzerErrorCode } from '../analysis/analysis-error.ts'
import type { ContentEncodingError } from '../bytes/content-encoding.ts'
import type { ScratchFullError } from '../bytes/scratch.ts'
import type { SpoolBusyError } from '../bytes/spool.ts'
import type { StorageFullError } from '../bytes/storage-full-error.ts'
import type { VerificationError } from '../bytes/verify.ts'
import type { CatalogueCursorError } from '../catalogue/cursor.ts'
import type { StalledError } from '../concurrency/stall-watch.ts'
import type { ConversionErrorCode } from '../conversion/errors.ts'
import type { DatabaseUnavailableError } from '../db/errors.ts'
import type { LeaseLostError } from '../jobs/claims/tag-moves.ts'
import type { InvalidCursorError } from '../jobs/events/event-cursor.ts'
import type { EventStreamsBusyError } from '../jobs/events/stream-places.ts'
import type { JobQuotaError, QueueFullError } from '../jobs/quotas/queue-limit.ts'
import type { TooManyRulesError } from '../jobs/rule-store.ts'
import type { DocumentError } from '../oci/document-error.ts'
import type { InvalidReferenceError } from '../oci/reference.ts'
import type { RecordErrorCode, RecordImageErrorCode } from '../records/errors.ts'
import type { PublishError } from '../records/images/record-publisher.ts'
import type { RecordQuotaError } from '../records/record-quota.ts'
import type { PlanChangedError } from '../records/retention/retention-service.ts'
import type { CredentialsError } from '../registry/auth/credentials.ts'
import type { RegistryErrorCode } from '../registry/errors.ts'
import type { LayerErrorCode } from '../tar/layer-error.ts'
import type { ClientGoneError, DeadlineExceededError } from './connection/errors.ts'
import type { OverloadedError, TooManyRequestsError } from './limits/errors.ts'

/** The codes of all errors that the broker throws on purpose. */
type ErrorCode =
  | AccessErrorCode
  | AnalyzerErrorCode
  | ConversionErrorCode
  | LayerErrorCode
  | RecordErrorCode
  | RecordImageErrorCode
  | RegistryErrorCode
  | (
      | CatalogueCursorError
      | ClientGoneError
      | ContentEncodingError
      | CredentialsError
      | EventStreamsBusyError
      | InvalidCursorError
      | DatabaseUnavailableError
      | DeadlineExceededError
      | DocumentError
      | InvalidReferenceError
      | IssuerUnavailableError
      | LeaseLostError
      | LoginError
      | LoginsBusyError
      | NoSecretKeyError
      | OverloadedError
      | PlanChangedError
      | ProjectInUseError
      | ProjectNotFoundError
      | PublishError
      | JobQuotaError
      | QueueFullError
      | RecordQuotaError
      | ScratchFullError
      | SpoolBusyError
      | StalledError
      | StorageFullError
      | TokenNotUsableError
      | TooManyProjectsError
      | TooManyRequestsError
      | TooManyRulesError
      | TooManyCredentialsError
      | TooManyTokensError
      | VerificationError
    )['code']

/** The HTTP status for each code. A missing code is a type error. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID_REFERENCE: 400,
  INVALID_RECORD: 400,
  INVALID_ENCODING: 400,
  INVALID_CURSOR: 400,
  LOGIN_FAILED: 400,
  CREDENTIAL_REJECTED: 401,
  HOST_NOT_ALLOWED: 403,
  ACCESS_DENIED: 403,
  REPOSITORY_NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  RECORD_NOT_FOUND: 404,
  PROJECT_NOT_FOUND: 404,
  TAG_EXISTS: 409,
  TARGET_EXISTS: 409,
  TAG_CHANGED: 409,
  CONFLICT: 409,
  PLAN_CHANGED: 409,
  PROJECT_IN_USE: 409,
  TOKEN_NOT_USABLE: 409,
  RECORD_TOO_LARGE: 413,
  UNKNOWN_FORMAT: 422,
  TOO_LARGE: 422,
  RECORD_HAS_GLOBS: 422,
  GLOBS_TOO_COSTLY: 422,
  RECORD_TOO_COSTLY: 422,
  NAME_REQUIRED: 422,
  NOT_A_RECORD_IMAGE: 422,
  NOT_AN_IMAGE: 422,
  NOT_ESTARGZ: 422,
  INVALID_IMAGE: 422,
  INVALID_DOCUMENT: 422,
  INVALID_TOC: 422,
  VERIFICATION_FAILED: 422,
  LIMIT_EXCEEDED: 422,
  NO_SECRET_KEY: 422,
  PLATFORM_NOT_FOUND: 422,
  PLATFORM_REQUIRED: 422,
  UNSUPPORTED_LAYER: 422,
  UNSUPPORTED_ENTRY: 422,
  NO_PATHS_FOUND: 422,
  NO_PRIORITIZED_FILES: 422,
  HARD_LINK_CYCLE: 422,
  HARD_LINK_TARGET: 422,
  CORRUPT_TAR: 422,
  CORRUPT_GZIP: 422,
  CORRUPT_ZSTD: 422,
  LAYER_THREAD_MEMORY: 422,
  ANALYZER_MEMORY: 422,
  TOO_MANY_REQUESTS: 429,
  RECORD_QUOTA_EXCEEDED: 403,
  JOB_QUOTA_EXCEEDED: 429,
  // The client has disconnected: this status appears only in logs.
  CLIENT_DISCONNECTED: 499,
  DIGEST_MISMATCH: 502,
  SIZE_MISMATCH: 502,
  // The registry's rejection says nothing about the caller of this API: not 401 or 403.
  UNAUTHORIZED: 502,
  DENIED: 502,
  BAD_REQUEST: 502,
  NETWORK: 502,
  UNAVAILABLE: 502,
  INVALID_RESPONSE: 502,
  STREAMING_REFUSED: 502,
  CREDENTIALS: 502,
  RATE_LIMITED: 503,
  QUEUE_FULL: 503,
  ISSUER_UNAVAILABLE: 503,
  LOGINS_BUSY: 503,
  OVERLOADED: 503,
  UPLOADS_BUSY: 503,
  EVENT_STREAMS_BUSY: 503,
  DATABASE_UNAVAILABLE: 503,
  LEASE_LOST: 503,
  LAYER_THREAD_DIED: 503,
  ANALYZER_DIED: 503,
  ANALYZERS_BUSY: 503,
  SCRATCH_FULL: 507,
  STORAGE_FULL: 507,
  // The registry's own limit: neither the broker's disk nor the caller's request is too large.
  QUOTA_EXCEEDED: 502,
  STALLED: 504,
  DEADLINE_EXCEEDED: 504,
}

/**
 * Returns the HTTP status for a code; undefined for codes of other libraries, whose errors are bugs of the
 * broker.
 */
export function httpStatusOf(code: unknown): number | undefined {
  return typeof code === 'string' && Object.hasOwn(STATUS, code) ? STATUS[code as ErrorCode] : undefined
}
