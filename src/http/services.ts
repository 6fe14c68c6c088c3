import type { Analyses } from '../analysis/analyses.ts'
import type { Spool } from '../bytes/spool.ts'
import type { CacheAdministration } from '../cache/cache-administration.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { CallbackStore } from '../jobs/events/callback-store.ts'
import type { EventFeed } from '../jobs/events/event-feed.ts'
import type { EventLog } from '../jobs/events/event-log.ts'
import type { BatchStore } from '../jobs/queue/batch-store.ts'
import type { BulkJobs } from '../jobs/queue/bulk-jobs.ts'
import type { IdempotencyKeys } from '../jobs/queue/idempotency-keys.ts'
import type { JobStore } from '../jobs/queue/job-store.ts'
import type { TagMoves } from '../jobs/queue/tag-moves.ts'
import type { WaitExplainer } from '../jobs/queue/wait-explainer.ts'
import type { RuleStore } from '../jobs/rule-store.ts'
import type { SeriesStore } from '../jobs/series/series-store.ts'
import type { WorkerDirectory } from '../jobs/worker/worker-directory.ts'
import type { HostNames } from '../oci/host-names.ts'
import type { Reference } from '../oci/reference.ts'
import type { RecordStore } from '../records/store.ts'

/**
 * Everything that the HTTP server depends on. `buildApp` gives each group of routes only the services that it
 * uses.
 */
export type Services = {
  /** The names of the embedded registry, under which references mean the same image. */
  readonly names: HostNames
  readonly records: RecordStore
  readonly catalogue: Catalogue
  /** The registry of repositories that are named without one. */
  readonly defaultRegistry: string
  /** Notes references that a registry reports as changed. */
  readonly addCatalogueChanges: (references: readonly Reference[]) => Promise<void>
  /** Buffers uploaded records on disk until they are complete. */
  readonly spool: Spool
  /** Maximum size of an uploaded record as it arrives, in bytes. */
  readonly maxRecordBytes: number
  readonly analyses: Analyses
  readonly jobs: JobStore
  readonly bulkJobs: BulkJobs
  readonly waits: WaitExplainer
  readonly series: SeriesStore
  readonly batches: BatchStore
  readonly tagMoves: TagMoves
  readonly idempotencyKeys: IdempotencyKeys
  readonly events: EventLog
  readonly eventFeed: EventFeed
  readonly callbacks: CallbackStore
  readonly rules: RuleStore
  readonly workers: WorkerDirectory
  readonly cache: CacheAdministration
  /** Rejects if the backing registry does not respond. */
  readonly checkRegistry: (signal: AbortSignal) => Promise<void>
  /** Whether the broker's disk has free space beyond the reserve. */
  readonly hasFreeSpace: () => Promise<boolean>
  /** Whether callbacks may be sent to this URL. */
  readonly isCallbackAllowed: (url: URL) => boolean
  /** @throws RegistryError HOST_NOT_ALLOWED if the broker may not contact the registry of a reference */
  readonly assertReferenceAllowed: (reference: string) => void
}
