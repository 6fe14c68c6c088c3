import type { AnalyzerErrorCode } from '../analysis/messages.ts'
import type { ContentEncodingError } from '../bytes/content-encoding.ts'
import type { ScratchFullError } from '../bytes/scratch.ts'
import type { SpoolBusy } from '../bytes/spool.ts'
import type { StorageFullError } from '../bytes/storage-full.ts'
import type { VerificationError } from '../bytes/verify.ts'
import type { StalledError } from '../concurrency/stall-watch.ts'
import type { ConversionErrorCode } from '../conversion/errors.ts'
import type { DatabaseUnavailable } from '../db/errors.ts'
import type { CursorError } from '../jobs/events/event-log.ts'
import type { QueueFullError } from '../jobs/queue/store.ts'
import type { LeaseLostError } from '../jobs/queue/tag-moves.ts'
import type { TooManyRules } from '../jobs/rules.ts'
import type { DocumentError } from '../oci/documents.ts'
import type { InvalidReference } from '../oci/reference.ts'
import type { RecordErrorCode, RecordImageErrorCode } from '../records/errors.ts'
import type { PublishError } from '../records/images/publisher.ts'
import type { PlanChanged } from '../records/retention/service.ts'
import type { CredentialsError } from '../registry/auth/credentials.ts'
import type { RegistryErrorCode } from '../registry/errors.ts'
import type { LayerErrorCode } from '../tar/errors.ts'
import type { ClientGone, DeadlineExceeded } from './connection/errors.ts'

/** Every code of the errors that the other rooms throw. */
type ErrorCode =
  | AnalyzerErrorCode
  | ConversionErrorCode
  | LayerErrorCode
  | RecordErrorCode
  | RecordImageErrorCode
  | RegistryErrorCode
  | (
      | ClientGone
      | ContentEncodingError
      | CredentialsError
      | CursorError
      | DatabaseUnavailable
      | DeadlineExceeded
      | DocumentError
      | InvalidReference
      | LeaseLostError
      | PlanChanged
      | PublishError
      | QueueFullError
      | ScratchFullError
      | SpoolBusy
      | StalledError
      | StorageFullError
      | TooManyRules
      | VerificationError
    )['code']

/** What each code means over HTTP. A code that is missing here does not compile. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID_REFERENCE: 400,
  INVALID_RECORD: 400,
  INVALID_ENCODING: 400,
  INVALID_CURSOR: 400,
  HOST_NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  RECORD_NOT_FOUND: 404,
  TAG_EXISTS: 409,
  TARGET_EXISTS: 409,
  TAG_CHANGED: 409,
  CONFLICT: 409,
  PLAN_CHANGED: 409,
  RECORD_TOO_LARGE: 413,
  UNKNOWN_FORMAT: 422,
  TOO_LARGE: 422,
  RECORD_HAS_GLOBS: 422,
  GLOBS_TOO_COSTLY: 422,
  RECORD_TOO_COSTLY: 422,
  NAME_NEEDED: 422,
  NOT_A_RECORD_IMAGE: 422,
  NOT_AN_IMAGE: 422,
  NOT_ESTARGZ: 422,
  INVALID_IMAGE: 422,
  INVALID_DOCUMENT: 422,
  INVALID_TOC: 422,
  VERIFICATION_FAILED: 422,
  LIMIT_EXCEEDED: 422,
  PLATFORM_NOT_FOUND: 422,
  PLATFORM_NEEDED: 422,
  UNSUPPORTED_LAYER: 422,
  UNSUPPORTED_ENTRY: 422,
  NOTHING_LEFT: 422,
  NOTHING_TO_COPY: 422,
  HARD_LINK_CYCLE: 422,
  HARD_LINK_TARGET: 422,
  CORRUPT_TAR: 422,
  CORRUPT_GZIP: 422,
  CORRUPT_ZSTD: 422,
  LAYER_THREAD_MEMORY: 422,
  ANALYZER_MEMORY: 422,
  // Nobody reads it; logs do.
  CLIENT_GONE: 499,
  DIGEST_MISMATCH: 502,
  SIZE_MISMATCH: 502,
  // What the registry behind a reference said is no statement about who asked here.
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
  UPLOADS_BUSY: 503,
  DATABASE_UNAVAILABLE: 503,
  LEASE_LOST: 503,
  LAYER_THREAD_DIED: 503,
  ANALYZER_DIED: 503,
  ANALYZERS_BUSY: 503,
  SCRATCH_FULL: 507,
  STORAGE_FULL: 507,
  // A registry's own bound: nothing here, and nothing that the caller sent, is too large.
  QUOTA_EXCEEDED: 502,
  STALLED: 504,
  DEADLINE_EXCEEDED: 504,
}

/** The HTTP status for a code; undefined for codes of other libraries, whose errors are defects here. */
export function statusOf(code: unknown): number | undefined {
  return typeof code === 'string' && Object.hasOwn(STATUS, code) ? STATUS[code as ErrorCode] : undefined
}
