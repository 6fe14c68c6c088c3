import { AuditLog } from '../access/audit/audit-log.ts'
import { CredentialStore } from '../access/credentials/credential-store.ts'
import { ProjectDirectory } from '../access/projects/project-directory.ts'
import { ApiTokens, type ApiTokensOptions } from '../access/tokens/api-tokens.ts'
import { CacheAdministration } from '../cache/cache-administration.ts'
import { Catalogue } from '../catalogue/catalogue.ts'
import type { Database } from '../db/database.ts'
import type { Services } from '../http/services.ts'
import { TagMoves } from '../jobs/claims/tag-moves.ts'
import { WaitExplainer } from '../jobs/claims/wait-explainer.ts'
import { CallbackStore } from '../jobs/events/callback-store.ts'
import { EventFeed } from '../jobs/events/event-feed.ts'
import { EventLog } from '../jobs/events/event-log.ts'
import { BatchStore } from '../jobs/queue/batch-store.ts'
import { IdempotencyKeys } from '../jobs/queue/idempotency-keys.ts'
import { JobStore } from '../jobs/queue/job-store.ts'
import { RuleStore } from '../jobs/rule-store.ts'
import { SeriesStore } from '../jobs/series/series-store.ts'
import { WorkerDirectory } from '../jobs/worker/worker-directory.ts'
import { HostNames } from '../oci/host-names.ts'
import { RecordStore } from '../records/store.ts'
import { projectUsage } from './access/project-usage.ts'
import { catalogueFeed } from './catalogue.ts'

/** The services that need nothing but the database. */
export type Stores = Pick<
  Services,
  | 'names'
  | 'projects'
  | 'registryCredentials'
  | 'tokens'
  | 'audit'
  | 'projectUsage'
  | 'records'
  | 'catalogue'
  | 'addCatalogueChanges'
  | 'jobs'
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
> & { readonly records: RecordStore }

/**
 * @param options.maxQueued the number of jobs that may wait; default: unlimited
 * @param options.maxRules the number of rules that may exist; default: unlimited
 * @param options.names the names of the embedded registry; default: there is none
 * @param options.maxEventStreams the number of event streams that may be open; default: 1000
 * @param options.tokens the keys of API tokens; default: none can be created
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
    readonly tokens?: ApiTokensOptions
  } = {},
): Stores {
  const { names = new HostNames([]) } = options
  const feed = catalogueFeed(database, { names })
  const jobs = new JobStore(database, { ...options, names })
  const events = new EventLog(database)
  const workers = new WorkerDirectory(database)
  const projects = new ProjectDirectory(database)
  return {
    names,
    projects,
    tokens: new ApiTokens(database, options.tokens),
    registryCredentials: new CredentialStore({ database, keys: options.tokens?.keys }),
    audit: new AuditLog(database),
    projectUsage: projectUsage(database),
    records: new RecordStore(database, names),
    catalogue: new Catalogue(database, names),
    addCatalogueChanges: (references) => feed.addChanged(references),
    jobs,
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
