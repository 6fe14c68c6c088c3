import type { Analyses } from '../analysis/analyses.ts'
import type { Spool } from '../bytes/spool.ts'
import type { CacheOverviews } from '../cache/overview.ts'
import type { Batches } from '../jobs/batches.ts'
import type { Callbacks } from '../jobs/callbacks.ts'
import type { EventLog } from '../jobs/event-log.ts'
import type { RequestKeys } from '../jobs/request-keys.ts'
import type { RuleStore } from '../jobs/rules.ts'
import type { JobStore } from '../jobs/store.ts'
import type { TagMoves } from '../jobs/tag-moves.ts'
import type { WorkerRegister } from '../jobs/worker-register.ts'
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
