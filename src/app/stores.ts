import { CacheOverviews } from '../cache/overview.ts'
import type { Database } from '../db/open.ts'
import type { Services } from '../http/services.ts'
import { Callbacks } from '../jobs/events/callbacks.ts'
import { EventLog } from '../jobs/events/event-log.ts'
import { Batches } from '../jobs/queue/batches.ts'
import { RequestKeys } from '../jobs/queue/request-keys.ts'
import { JobStore } from '../jobs/queue/store.ts'
import { TagMoves } from '../jobs/queue/tag-moves.ts'
import { RuleStore } from '../jobs/rules.ts'
import { WorkerRegister } from '../jobs/worker/worker-register.ts'
import { RecordStore } from '../records/store.ts'

/** What the services keep in the database alone. */
export type Stores = Pick<
  Services,
  | 'records'
  | 'jobs'
  | 'batches'
  | 'tagMoves'
  | 'requestKeys'
  | 'events'
  | 'callbacks'
  | 'rules'
  | 'workers'
  | 'cache'
>

/**
 * @param options `maxQueued` jobs may wait, and there may be `maxRules` rules; left out: any number
 * @param options.requestMs how long a request may be worked on
 */
export function openStores(
  database: Database,
  options: { readonly maxQueued?: number; readonly maxRules?: number; readonly requestMs?: number } = {},
): Stores {
  const jobs = new JobStore(database, options)
  return {
    records: new RecordStore(database),
    jobs,
    batches: new Batches(database, jobs),
    tagMoves: new TagMoves(database),
    requestKeys: new RequestKeys(database, options.requestMs),
    events: new EventLog(database),
    callbacks: new Callbacks(database),
    rules: new RuleStore(database, options),
    workers: new WorkerRegister(database),
    cache: new CacheOverviews(database),
  }
}
