import { CacheAdministration } from '../cache/cache-administration.ts'
import type { Database } from '../db/database.ts'
import type { Services } from '../http/services.ts'
import { CallbackStore } from '../jobs/events/callback-store.ts'
import { EventLog } from '../jobs/events/event-log.ts'
import { BatchStore } from '../jobs/queue/batch-store.ts'
import { IdempotencyKeys } from '../jobs/queue/idempotency-keys.ts'
import { JobStore } from '../jobs/queue/job-store.ts'
import { TagMoves } from '../jobs/queue/tag-moves.ts'
import { RuleStore } from '../jobs/rule-store.ts'
import { WorkerDirectory } from '../jobs/worker/worker-directory.ts'
import { RecordStore } from '../records/store.ts'

/** The services that need nothing but the database. */
export type Stores = Pick<
  Services,
  | 'records'
  | 'jobs'
  | 'batches'
  | 'tagMoves'
  | 'idempotencyKeys'
  | 'events'
  | 'callbacks'
  | 'rules'
  | 'workers'
  | 'cache'
>

/**
 * @param options.maxQueued the number of jobs that may wait; default: unlimited
 * @param options.maxRules the number of rules that may exist; default: unlimited
 * @param options.requestMs the deadline of a request, in milliseconds
 */
export function openStores(
  database: Database,
  options: { readonly maxQueued?: number; readonly maxRules?: number; readonly requestMs?: number } = {},
): Stores {
  const jobs = new JobStore(database, options)
  return {
    records: new RecordStore(database),
    jobs,
    batches: new BatchStore(database, jobs),
    tagMoves: new TagMoves(database),
    idempotencyKeys: new IdempotencyKeys(database, options.requestMs),
    events: new EventLog(database),
    callbacks: new CallbackStore(database),
    rules: new RuleStore(database, options),
    workers: new WorkerDirectory(database),
    cache: new CacheAdministration(database),
  }
}
