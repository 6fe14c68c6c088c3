import type { Analyses } from '../analysis/analyses.ts'
import type { Spool } from '../bytes/spool.ts'
import type { CacheOverviews } from '../cache/overview.ts'
import type { Callbacks } from '../jobs/events/callbacks.ts'
import type { EventLog } from '../jobs/events/event-log.ts'
import type { Batches } from '../jobs/queue/batches.ts'
import type { RequestKeys } from '../jobs/queue/request-keys.ts'
import type { JobStore } from '../jobs/queue/store.ts'
import type { TagMoves } from '../jobs/queue/tag-moves.ts'
import type { RuleStore } from '../jobs/rules.ts'
import type { WorkerRegister } from '../jobs/worker/worker-register.ts'
import type { RecordStore } from '../records/store.ts'

/** What the routes work with; made by whoever starts the server. */
export type Services = {
  readonly records: RecordStore
  /** Where records wait until they have come whole. */
  readonly spool: Spool
  /** What a record may have, as it comes. */
  readonly recordBytes: number
  readonly analyses: Analyses
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
  /** Whether there is room on the broker's disk. */
  readonly hasRoom: () => Promise<boolean>
  /** Whether a callback may be sent there. */
  readonly allowsCallback: (url: URL) => boolean
  /** Fails when the registry of a reference may not be spoken to. */
  readonly checkAllowed: (reference: string) => void
}
