import type { CallerAccess } from '../access/caller-access.ts'
import type { ContentEncoding } from '../bytes/content-encoding.ts'
import type { RefreshRequest } from '../catalogue/compare/catalogue-refresher.ts'
import type { KeyClaim } from '../jobs/queue/idempotency-keys.ts'
import type { Digest } from '../oci/digest.ts'
import type { EvaluationRequest, FoundInImage } from '../records/evaluation.ts'
import type { WrittenFormat } from '../records/formats/write-record.ts'
import type { RecordFormat } from '../records/model.ts'
import type { MergeStrategy } from '../records/provenance.ts'
import type { RecordUse } from '../records/resolve/record-use.ts'
import type { RetentionRules } from '../records/retention/retention-rules.ts'
import type { RemovalResult, RetentionPlan } from '../records/retention/retention-service.ts'
import type { Labels, Publication, StoredRecord } from '../records/stored-record.ts'

/**
 * An analysis ends soon after `signal` aborts, with the signal's reason. It sees what `caller` may see: the rows of
 * its project, and the registries with the credentials and the patterns of the project and of the caller itself.
 */
export type AnalysisContext = { readonly signal: AbortSignal; readonly caller: CallerAccess }

/** A document of any length in pieces. The caller must read it to its end or abort its context. */
export type DocumentBody = AsyncIterable<Uint8Array>

/** The metadata of a new record. */
type RecordMetadata = {
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly labels?: Labels | undefined
}

export type UploadRequest = RecordMetadata & {
  readonly format?: RecordFormat | undefined
  readonly workingDirectory?: string | undefined
  /** The container's root directory as the profiler saw it, an absolute path. */
  readonly root?: string | undefined
  /** Globs of paths to exclude. */
  readonly exclude?: readonly string[] | undefined
  /** The compression of the body. */
  readonly encoding?: ContentEncoding | undefined
  readonly profiler?: string | undefined
  readonly profilerVersion?: string | undefined
  /** The idempotency key, and the part of the request that identifies it in addition to the body. */
  readonly idempotency?: { readonly key: string; readonly request: string } | undefined
}
export type StoredResult = {
  readonly kind: 'stored'
  readonly record: StoredRecord
  /** Whether the record is new; false if an identical one was stored already. */
  readonly created: boolean
}
export type UploadResult = StoredResult & {
  /** How many of its paths the profiled image has, if the request names one. */
  readonly inImage?: FoundInImage | undefined
}
/** An earlier request had the same idempotency key. */
export type RepeatedUpload = { readonly kind: 'repeated'; readonly claim: Exclude<KeyClaim, { kind: 'new' }> }

export type MergeRequest = RecordMetadata & {
  readonly records: readonly string[]
  readonly strategy: MergeStrategy
  readonly threshold?: number | undefined
}
export type MergeResult =
  | StoredResult
  /** `position`: the index of the missing record in the request. */
  | { readonly kind: 'missing'; readonly position: number }
  | { readonly kind: 'nothing-in-common' }

export type RetargetRequest = RecordMetadata & {
  readonly record: string
  readonly target: string
  readonly platform?: string | undefined
}
export type RetargetResult =
  | (StoredResult & { readonly platform: string; readonly lost: number; readonly use: RecordUse })
  | { readonly kind: 'missing' }

export type PublishRequest = {
  readonly record: string
  readonly reference?: string | undefined
  readonly attachTo?: string | undefined
  readonly overwrite?: boolean | undefined
}
export type PublishedRecord = Publication & { readonly subject?: Digest | undefined }

export type RetentionRequest = {
  readonly rules: RetentionRules
  readonly recordImages: boolean
  /** The id of the plan to execute; if omitted, the request is a dry run. */
  readonly plan?: string | undefined
}
export type RetentionResult = {
  readonly plan: RetentionPlan
  readonly removed?: ReadonlyMap<string, RemovalResult> | undefined
}

/**
 * Work whose cost a caller or a registry determines: reading records, images and registries. The API runs it
 * in separate processes, see `AnalyzerPool`. Errors have codes.
 */
export interface Analyses {
  /** Reads and stores the record in the input. */
  upload(
    request: UploadRequest,
    context: AnalysisContext & { readonly input: AsyncIterable<Uint8Array> },
  ): Promise<UploadResult | RepeatedUpload>
  /** Returns a record in the requested format, or undefined if there is no such record. */
  readContent(
    request: { readonly record: string; readonly format: WrittenFormat },
    context: AnalysisContext,
  ): Promise<DocumentBody | undefined>
  merge(request: MergeRequest, context: AnalysisContext): Promise<MergeResult>
  /** Returns a `RecordDiff` as JSON, or the id of a record that does not exist. */
  diff(
    request: { readonly a: string; readonly b: string; readonly limit: number },
    context: AnalysisContext,
  ): Promise<DocumentBody | { readonly missing: string }>
  /** Returns a `RecordEvaluation` as JSON, or undefined if there is no such record. */
  evaluate(
    request: { readonly record: string } & EvaluationRequest,
    context: AnalysisContext,
  ): Promise<DocumentBody | undefined>
  retarget(request: RetargetRequest, context: AnalysisContext): Promise<RetargetResult>
  publish(request: PublishRequest, context: AnalysisContext): Promise<PublishedRecord>
  /** Compares a part of the catalogue with its registries now. */
  refreshCatalogue(request: RefreshRequest, context: AnalysisContext): Promise<void>
  /**
   * Keeps the catalogue up to date for some seconds.
   * @returns the pause before the next call in milliseconds
   */
  updateCatalogue(
    request: {
      /** Names this replica; each start has another name. */
      readonly owner: string
    },
    context: AnalysisContext,
  ): Promise<number>
  /** Returns a record image with its entries as JSON. */
  readRecordImage(request: { readonly reference: string }, context: AnalysisContext): Promise<DocumentBody>
  applyRetention(request: RetentionRequest, context: AnalysisContext): Promise<RetentionResult>
  /** Returns an `ImageInspection` as JSON. */
  inspect(request: { readonly reference: string }, context: AnalysisContext): Promise<DocumentBody>
  /**
   * Checks whether images have the requested platforms. An image counts as having them if its registry fails.
   * @returns the problems of the images that lack a platform or cannot be converted
   */
  checkPlatforms(
    request: {
      readonly images: readonly { readonly source: string; readonly platforms: readonly string[] }[]
    },
    context: AnalysisContext,
  ): Promise<readonly PlatformProblem[]>
}

/** `position`: the index of the image in the request. */
export type PlatformProblem = { readonly position: number; readonly code: string; readonly message: string }
export type AnalysisKind = keyof Analyses
