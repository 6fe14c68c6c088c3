import type { CacheOverviews } from '../cache/overview.ts'
import type { ImageInspection } from '../conversion/report.ts'
import type { Batches } from '../jobs/batches.ts'
import type { Callbacks } from '../jobs/callbacks.ts'
import type { EventLog } from '../jobs/event-log.ts'
import type { RequestKeys } from '../jobs/request-keys.ts'
import type { RuleStore } from '../jobs/rules.ts'
import type { JobStore } from '../jobs/store.ts'
import type { TagMoves } from '../jobs/tag-moves.ts'
import type { WorkerRegister } from '../jobs/worker-register.ts'
import type { EvaluationRequest, RecordEvaluation, RetargetedEntries } from '../records/evaluation.ts'
import type { Housekeeper } from '../records/housekeeper.ts'
import type { RecordEntry } from '../records/model.ts'
import type { RecordPublisher } from '../records/publisher.ts'
import type { RecordStore } from '../records/store.ts'

/** A record, and the image that it was made of, as a reference or a digest. */
type ProfiledRecord = { readonly entries: readonly RecordEntry[]; readonly image?: string | undefined }

/** What the routes work with; made by whoever starts the server. */
export type Services = {
  readonly records: RecordStore
  readonly publisher: RecordPublisher
  readonly housekeeper: Housekeeper
  readonly jobs: JobStore
  readonly batches: Batches
  readonly tagMoves: TagMoves
  readonly requestKeys: RequestKeys
  readonly events: EventLog
  readonly callbacks: Callbacks
  readonly rules: RuleStore
  readonly workers: WorkerRegister
  readonly cache: CacheOverviews
  /** Fails when the backing registry does not answer. */
  readonly checkRegistry: (signal: AbortSignal) => Promise<void>
  /** Whether a callback may be sent there. */
  readonly allowsCallback: (url: URL) => boolean
  /** What an image shows of itself. Its errors have codes. */
  readonly inspect: (reference: string, signal: AbortSignal) => Promise<ImageInspection>
  /** What a record is worth in an image. Its errors have codes. */
  readonly evaluate: (
    record: ProfiledRecord,
    request: EvaluationRequest,
    signal: AbortSignal,
  ) => Promise<RecordEvaluation>
  /** What is left of a record in another image. Its errors have codes. */
  readonly retarget: (
    record: ProfiledRecord,
    request: { readonly image: string; readonly platform?: string | undefined },
    signal: AbortSignal,
  ) => Promise<RetargetedEntries>
  /** Fails when an image has not these platforms. A registry that does not answer is no failure. */
  readonly checkPlatforms: (source: string, platforms: string[], signal: AbortSignal) => Promise<void>
  /** Fails when the registry of a reference may not be spoken to. */
  readonly checkAllowed: (reference: string) => void
}
