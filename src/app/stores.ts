import { CacheAdministration } from '../cache/cache-administration.ts'
import { Catalogue } from '../catalogue/catalogue.ts'
import type { Database } from '../db/database.ts'
import type { Services } from '../http/services.ts'
import { CallbackStore } from '../jobs/events/callback-store.ts'
import { EventFeed } from '../jobs/events/event-feed.ts'
import { EventLog } from '../jobs/events/event-log.ts'
import { BatchStore } from '../jobs/queue/batch-store.ts'
import { BulkJobs } from '../jobs/queue/bulk-jobs.ts'
import { IdempotencyKeys } from '../jobs/queue/idempotency-keys.ts'
import { JobStore } from '../jobs/queue/job-store.ts'
import { TagMoves } from '../jobs/queue/tag-moves.ts'
import { WaitExplainer } from '../jobs/queue/wait-explainer.ts'
import { RuleStore } from '../jobs/rule-store.ts'
import { SeriesStore } from '../jobs/series/series-store.ts'
import { WorkerDirectory } from '../jobs/worker/worker-directory.ts'
import { HostNames } from '../oci/host-names.ts'
import { RecordStore } from '../records/store.ts'
import { catalogueFeed } from './catalogue.ts'

/** The services that need nothing but the database. */
export type Stores = Pick<
  Services,
  | 'names'
  | 'records'
  | 'catalogue'
  | 'addCatalogueChanges'
  | 'jobs'
  | 'bulkJobs'
  | 'batches'
  | 'tagMoves'
  | 'idempotencyKeys'
  | 'events'
  | 'eventFeed'
  | 'series'
  | 'waits'
  | 'callbacks'
  | 'rules'
  | 'workers'
  | 'cache'
>

/**
 * @param options.maxQueued the number of jobs that may wait; default: unlimited
 * @param options.maxRules the number of rules that may exist; default: unlimited
 * @param options.names the names of the embedded registry; default: there is none
 * @param options.maxEventStreams the number of event streams that may be open; default: 1000
 * @param options.requestMs the deadline of a request, in milliseconds
 */
export function openStores(
  database: Database,
  options: {
    readonly maxQueued?: number
    readonly maxRules?: number
    readonly maxEventStreams?: number
    readonly names?: HostNames
    readonly requestMs?: number
  } = {},
): Stores {
  const { names = new HostNames([]) } = options
  const feed = catalogueFeed(database, { names })
  const jobs = new JobStore(database, { ...options, names })
  const events = new EventLog(database)
  const workers = new WorkerDirectory(database)
  return {
    names,
    records: new RecordStore(database, names),
    catalogue: new Catalogue(database, names),
    addCatalogueChanges: (references) => feed.addChanged(references),
    jobs,
    bulkJobs: new BulkJobs(database, jobs),
    waits: new WaitExplainer(database, workers),
    batches: new BatchStore(database, jobs),
    tagMoves: new TagMoves(database),
    idempotencyKeys: new IdempotencyKeys(database, options.requestMs),
    events,
    eventFeed: new EventFeed(database, events, options),
    series: new SeriesStore(database),
    callbacks: new CallbackStore(database),
    rules: new RuleStore(database, options),
    workers,
    cache: new CacheAdministration(database),
  }
}
