import type { ContentEncoding } from '../bytes/content-encoding.ts'
import type { Begun } from '../jobs/queue/request-keys.ts'
import type { Digest } from '../oci/digest.ts'
import type { EvaluationRequest, FoundInImage } from '../records/evaluation.ts'
import type { WrittenFormat } from '../records/formats/write.ts'
import type { ListRequest } from '../records/images/publisher.ts'
import type { RecordFormat } from '../records/model.ts'
import type { MergeStrategy } from '../records/provenance.ts'
import type { RecordUse } from '../records/resolve/record-use.ts'
import type { RetentionRules } from '../records/retention/rules.ts'
import type { Removed, RetentionPlan } from '../records/retention/service.ts'
import type { Labels, Publication, StoredRecord } from '../records/stored-record.ts'

/** An act ends soon after `signal` aborts, with its reason. */
export type AnalysisContext = { readonly signal: AbortSignal }

/** A document of any length, piece by piece. It has to be read to its end, or its context aborted. */
export type DocumentBody = AsyncIterable<Uint8Array>

/** How a new record is stored. */
type RecordTerms = {
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly labels?: Labels | undefined
}

export type UploadRequest = RecordTerms & {
  readonly format?: RecordFormat | undefined
  readonly workingDirectory?: string | undefined
  /** Absolute: the container's root as the profiler saw it. */
  readonly root?: string | undefined
  /** Globs of paths that are left out. */
  readonly exclude?: readonly string[] | undefined
  /** How the body is packed. */
  readonly encoding?: ContentEncoding | undefined
  readonly profiler?: string | undefined
  readonly profilerVersion?: string | undefined
  /** The idempotency key of the request, and what identifies it beside its body. */
  readonly idempotency?: { readonly key: string; readonly request: string } | undefined
}
export type StoredOutcome = {
  readonly kind: 'stored'
  readonly record: StoredRecord
  /** False: it was there already. */
  readonly created: boolean
}
export type UploadOutcome = StoredOutcome & {
  /** Where the record says which image was profiled. */
  readonly inImage?: FoundInImage | undefined
}
/** The idempotency key of an upload is known already. */
export type RepeatedOutcome = { readonly kind: 'repeated'; readonly begun: Exclude<Begun, { is: 'new' }> }

export type MergeRequest = RecordTerms & {
  readonly records: readonly string[]
  readonly strategy: MergeStrategy
  readonly threshold?: number | undefined
}
export type MergeOutcome =
  | StoredOutcome
  /** `position` among the records of the request. */
  | { readonly kind: 'missing'; readonly position: number }
  | { readonly kind: 'nothing-in-common' }

export type RetargetRequest = RecordTerms & {
  readonly record: string
  readonly target: string
  readonly platform?: string | undefined
}
export type RetargetOutcome =
  | (StoredOutcome & { readonly platform: string; readonly lost: number; readonly use: RecordUse })
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
  /** Removes what this plan named; left out: a dry run. */
  readonly plan?: string | undefined
}
export type RetentionOutcome = {
  readonly plan: RetentionPlan
  readonly removed?: ReadonlyMap<string, Removed> | undefined
}

/**
 * Whatever costs as much as a caller or a registry likes: reading records, images and registries. The API hands it to
 * processes of their own, see {@link AnalyzerPool}. Errors have codes.
 */
export interface Analyses {
  /** Stores the record that comes. */
  upload(
    request: UploadRequest,
    context: AnalysisContext & { readonly input: AsyncIterable<Uint8Array> },
  ): Promise<UploadOutcome | RepeatedOutcome>
  /** A record in one of the formats that are written; undefined when there is none. */
  content(
    request: { readonly record: string; readonly format: WrittenFormat },
    context: AnalysisContext,
  ): Promise<DocumentBody | undefined>
  merge(request: MergeRequest, context: AnalysisContext): Promise<MergeOutcome>
  /** A `RecordDiff` as JSON, or which of the records there is not. */
  diff(
    request: { readonly a: string; readonly b: string; readonly limit: number },
    context: AnalysisContext,
  ): Promise<DocumentBody | { readonly missing: string }>
  /** A `RecordEvaluation` as JSON; undefined when there is no such record. */
  evaluate(
    request: { readonly record: string } & EvaluationRequest,
    context: AnalysisContext,
  ): Promise<DocumentBody | undefined>
  retarget(request: RetargetRequest, context: AnalysisContext): Promise<RetargetOutcome>
  publish(request: PublishRequest, context: AnalysisContext): Promise<PublishedRecord>
  /** A page of record images as JSON. */
  recordImages(request: Omit<ListRequest, 'signal'>, context: AnalysisContext): Promise<DocumentBody>
  /** A record image with its entries as JSON. */
  recordImage(request: { readonly reference: string }, context: AnalysisContext): Promise<DocumentBody>
  retention(request: RetentionRequest, context: AnalysisContext): Promise<RetentionOutcome>
  /** An `ImageInspection` as JSON. */
  inspect(request: { readonly reference: string }, context: AnalysisContext): Promise<DocumentBody>
  /**
   * Looks whether images have the platforms that are asked for. A registry that does not answer is no failure.
   * @returns the errors of those that have not, by position; each has a code
   */
  checkPlatforms(
    request: {
      readonly images: readonly { readonly source: string; readonly platforms: readonly string[] }[]
    },
    context: AnalysisContext,
  ): Promise<readonly PlatformProblem[]>
}

export type PlatformProblem = { readonly position: number; readonly code: string; readonly message: string }
export type AnalysisName = keyof Analyses
