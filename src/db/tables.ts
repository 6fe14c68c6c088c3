import type { ColumnType, Generated } from 'kysely'

/** Milliseconds since 1970, by the database's clock where processes compare times. */
type TimeMs = number
/** A JSON document, stored as text on both engines. */
type JsonText = string

export type RecordsTable = {
  id: ColumnType<string, string, never>
  project: Generated<string>
  /** The digest of the canonical content. Outside the default project, it follows the project and a space. */
  digest: string
  /** The profiled image as the client named it, or '': NULLs do not collide in a unique key. */
  image: string
  workload: string
  labels: JsonText
  format: string
  entries: number
  paths: number
  content: string
  created_at: TimeMs
  /** The lines of the profile that became no entry, counted by reason. */
  skipped: Generated<JsonText>
  notes: Generated<JsonText>
  /** The tool that wrote the profile, or ''. */
  profiler: Generated<string>
  profiler_version: Generated<string>
  /** The records and the operation that this record was derived from. */
  provenance: JsonText | null
}

export type PublicationsTable = {
  id: ColumnType<string, string, never>
  record_id: string
  reference: string
  digest: string
  created_at: TimeMs
}

export type JobsTable = {
  id: ColumnType<string, string, never>
  project: Generated<string>
  kind: 'conversion' | 'verification'
  state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'
  source: string
  target: string
  /** The image that a verification compares with. */
  compared_with: string | null
  /** The registries of source and target, or ''. */
  source_host: Generated<string>
  target_host: Generated<string>
  /** The stored record that the job will read. It must not be deleted while the job is unfinished. */
  record_id: string | null
  request: JsonText
  labels: Generated<JsonText>
  /** Jobs with a higher priority run first. */
  priority: Generated<number>
  /** A digest of the work. At most one job with this key is queued or running. */
  unique_key: string | null
  /** The idempotency key of the request that created the job. Unique. */
  request_key: string | null
  progress: JsonText | null
  /** The part of the progress that listings show. */
  progress_summary: JsonText | null
  report: JsonText | null
  /** The result of a verification, as 0 or 1. */
  verified: number | null
  /**
   * The fields of a conversion's report that listings show, so that they do not read the report, which can be
   * long.
   */
  result_digest: string | null
  result_size: number | null
  result_source_size: number | null
  error: JsonText | null
  /** The number of the current attempt. Each claim increments it. */
  attempt: Generated<number>
  /** Attempts that failed with a retryable error. */
  failures: Generated<number>
  /** Worker deaths that are attributed to the job. */
  crashes: Generated<number>
  /** Attempts that ended because a registry limited the request rate or because a disk was full. */
  throttles: Generated<number>
  owner: string | null
  /** Fencing token, unique to each claim. */
  token: string | null
  lease_until: TimeMs | null
  cancel_requested_at: TimeMs | null
  /** The earliest time at which a worker may claim the job. */
  run_at: TimeMs
  /** The rank among jobs of the same priority. A job keeps it when it goes back into the queue. */
  queued_at: Generated<number>
  /** 1 after a worker died while running the job. From then on it runs alone in its worker. */
  suspect: Generated<number>
  created_at: TimeMs
  started_at: TimeMs | null
  finished_at: TimeMs | null
  /** The number of events so far. */
  event_seq: Generated<number>
  /** The HTTP request that created the job. */
  request_id: string | null
  /** The span that the attempts are below, as a `traceparent` header names it. */
  traceparent: string | null
}

export type JobAttemptsTable = {
  job_id: string
  attempt: number
  owner: string
  started_at: TimeMs
  ended_at: TimeMs | null
  /** `handed-back`: an earlier release stored it for `released`. */
  outcome: 'succeeded' | 'failed' | 'throttled' | 'released' | 'handed-back' | 'crashed' | 'cancelled' | null
  error: JsonText | null
  /** The span of the attempt. */
  traceparent: string | null
}

export type JobEventsTable = {
  job_id: string
  /** Counts from 1 within each job. */
  seq: number
  /** Orders the events of all jobs, see `Database.transactionId`. */
  tx: number
  type: string
  data: JsonText
  created_at: TimeMs
}

export type JobLabelsTable = { job_id: string; name: string; value: string }

/** Registries that limited the request rate. No job that uses one of them starts before `until`. */
export type HostPausesTable = { host: string; until: TimeMs }

/** The index of the gzip members of a converted layer, in consecutive parts that are numbered from 0. */
export type ConvertedLayerIndexesTable = { exact_key: string; part: number; bytes: Uint8Array }

export type ConvertedLayersTable = {
  /** The digest of all inputs of the layer. `base_key` covers the source and the options only. */
  exact_key: ColumnType<string, string, never>
  base_key: string
  /** The project that converted the layer. Keys of projects other than the default one begin with its name. */
  project: Generated<string>
  /** The key of the layer in every project. */
  shared_key: string
  /** The registry that the source layer was read from; '' if that is not known. */
  source_host: Generated<string>
  layer: JsonText
  /** The digest of the converted blob. `size` is in bytes. */
  digest: string
  size: number
  /** The repository in which the blob was last seen. */
  host: string
  repository: string
  used_at: TimeMs
  /** When the registry was last seen to have the blob. */
  checked_at: TimeMs
}

/** The cached reports of whole conversions. */
export type ConvertedImagesTable = {
  /** The digest of everything that the image depends on. */
  exact_key: ColumnType<string, string, never>
  project: Generated<string>
  report: JsonText
  /** The digest of the converted manifest or index. `size` is in bytes. */
  digest: string
  size: number
  host: string
  repository: string
  used_at: TimeMs
  checked_at: TimeMs
}

/** Cache uses of the default project, counted per day. */
export type CacheUsesTable = {
  /** Days since 1970, UTC. */
  day: number
  kind: 'image' | 'layer'
  /** `made`: converted anew. `gone`: removed from the cache, because the registry no longer had it. */
  outcome: 'reused' | 'rearranged' | 'made' | 'gone'
  count: number
  /** The size of the converted layers. */
  bytes: number
}

/** Cache uses of the other projects. */
export type ProjectCacheUsesTable = CacheUsesTable & { project: string }

/** The last move of each target tag. */
export type TagMovesTable = {
  target: string
  job_id: string
  /** The fencing token of the lease under which the move was intended. */
  token: string
  digest: string
  /** `intended` until the outcome is known. */
  phase: 'intended' | 'landed' | 'not-landed'
  changed_at: TimeMs
}

/** Idempotency keys of requests, with the responses. */
export type RequestKeysTable = {
  key: string
  /** The digest of method, URL and body. */
  fingerprint: string
  /** The response; null while the request is in progress. */
  answer: JsonText | null
  /** After this time another process may claim the key of a request that is still in progress. */
  locked_until: TimeMs
  created_at: TimeMs
}

/** URLs that receive a webhook when a job finishes. */
export type CallbacksTable = {
  id: ColumnType<string, string, never>
  job_id: string
  url: string
  /** `waiting`: the job is unfinished. `due`: to be delivered at `run_at`. */
  state: 'waiting' | 'due' | 'delivered' | 'failed'
  /** Delivery attempts over all retries of the job. */
  attempt: Generated<number>
  /** Delivery attempts since the job last finished. */
  tries: Generated<number>
  run_at: TimeMs
}

/** One attempt to deliver a callback. */
export type DeliveriesTable = {
  callback_id: string
  attempt: number
  at: TimeMs
  /** The HTTP status of the response, if there was one. */
  status: number | null
  error: string | null
}

/** Jobs that were requested together. Triggers maintain the counts, see `0020-batch-states.ts`. */
export type BatchesTable = {
  id: ColumnType<string, string, never>
  project: Generated<string>
  labels: JsonText
  request_key: string | null
  created_at: TimeMs
  /** All jobs. Those that are neither succeeded nor failed nor cancelled are unfinished. */
  jobs: Generated<number>
  succeeded: Generated<number>
  failed: Generated<number>
  cancelled: Generated<number>
  state: Generated<'running' | 'succeeded' | 'failed'>
}

export type BatchLabelsTable = { batch_id: string; name: string; value: string }

/** A job can be in several batches, and several times in one. */
export type BatchJobsTable = { batch_id: string; position: number; job_id: string }

/** Rules that select pushed images for conversion. */
export type RulesTable = {
  id: ColumnType<string, string, never>
  project: Generated<string>
  document: JsonText
  updated_at: TimeMs
}

/** Running worker processes. */
export type WorkersTable = {
  owner: string
  concurrency: number
  seen_at: TimeMs
  /** The limits of running jobs per registry, by host; `*` is every other host. Null: no limits. */
  registry_limits: JsonText | null
  /** 1 while the worker starts no job because its disk is full. */
  disk_full: Generated<number>
}

/** Counts of finished jobs: the sum over all shards. Maintained by triggers, see `0022-projects-of-jobs.ts`. */
export type JobTalliesTable = {
  project: string
  kind: JobsTable['kind']
  state: JobsTable['state']
  shard: number
  jobs: number
}

/**
 * What the jobs of all projects did in an hour or a day, UTC: the sum over all shards. Written by the transaction
 * that ends an attempt or a job.
 */
export type JobSeriesTable = {
  resolution: 'hour' | 'day'
  kind: JobsTable['kind']
  start: TimeMs
  shard: number
  succeeded: Generated<number>
  failed: Generated<number>
  cancelled: Generated<number>
  attempts: Generated<number>
  retries: Generated<number>
  bytes_in: Generated<number>
  bytes_out: Generated<number>
  bytes_reused: Generated<number>
}

/** How long the jobs that ended in an hour or a day waited or ran: their numbers by bucket of a histogram. */
export type JobSeriesTimesTable = {
  resolution: JobSeriesTable['resolution']
  kind: JobsTable['kind']
  start: TimeMs
  measure: 'wait' | 'run'
  bucket: number
  shard: number
  jobs: number
}

/** What the jobs of one project did; the default project has no rows: its jobs are those of no other one. */
export type ProjectSeriesTable = JobSeriesTable & { project: string }
export type ProjectSeriesTimesTable = JobSeriesTimesTable & { project: string }

/** Jobs that ended before there were series, while they are being added. */
export type JobSeriesBackfillTable = {
  kind: JobsTable['kind']
  ended_before: TimeMs
  added_from: string | null
}

/** The terms of the rows of another table. `item` is the id of a row, which sorts by time. See `TermIndex`. */
export type TermsTable = { term: string; item: string }

/** Manifests as they were last seen in registries: one row for each tag, and one for each untagged manifest. */
export type CatalogueImagesTable = {
  /** Sorts by the time that listings show the image by. See `itemId`. */
  id: string
  /** `host/repository:tag`, or `host/repository@digest` without a tag. */
  reference: string
  /** `host/repository` */
  location: string
  /** '' for none. */
  tag: string
  digest: string
  kind: 'record' | 'image' | 'index' | 'artifact' | 'unknown'
  /** 0 if the manifest was not read from the registry yet. */
  is_read: number
  document: JsonText
  /** When this digest was first seen under this reference. */
  seen_at: TimeMs
  /** When the reference was last compared with the registry by itself; 0: never. */
  compared_at: TimeMs
}

/** Results of conversions. One row for each pair of source and result. */
export type CatalogueConversionsTable = {
  id: string
  /** A digest of what the document says. */
  identity: string
  /** The latest job with this result. */
  job_id: string
  /** The latest job of each project, as JSON; '' if there is only that of the default project. */
  jobs: Generated<string>
  document: JsonText
  finished_at: TimeMs
}

/** `compared_at`: when the last complete comparison with the registry began; 0: never. */
export type CatalogueRepositoriesTable = { location: string; compared_at: TimeMs }

/** The projects whose credentials repositories are compared with, where that is not the default project. */
export type CatalogueProjectsTable = { location: string; project: string }

/** References that are to be compared with their registry soon. */
export type CatalogueChecksTable = { reference: string; due_at: TimeMs; tries: number }

/** The positions of scans, and which process continues them. */
export type ScansTable = {
  name: string
  state: JsonText
  owner: string | null
  lease_until: TimeMs
}

/** Projects. The default one need not be stored. */
export type ProjectsTable = {
  name: ColumnType<string, string, never>
  document: JsonText
  created_at: TimeMs
  updated_at: TimeMs
}

export type ApiTokensTable = {
  id: ColumnType<string, string, never>
  project: string
  name: string
  /** A keyed hash of the token. */
  hash: string
  document: JsonText
  created_at: TimeMs
  expires_at: TimeMs | null
  /** The last use, to the minute. */
  used_at: TimeMs | null
  revoked_at: TimeMs | null
  /** The token that took its place. */
  successor: string | null
}

export type LoginSessionsTable = {
  /** A keyed hash of the id that the browser has. */
  id_hash: ColumnType<string, string, never>
  issuer: string
  subject: string
  /** The digest of the policy that admitted the person. */
  policy: string
  created_at: TimeMs
  /** The last use, to the minute. */
  used_at: TimeMs
  expires_at: TimeMs
}

/** The registry credentials of projects. */
export type RegistryCredentialsTable = {
  project: string
  host: string
  username: string
  /** Encrypted, for this project and host only. */
  secret: string
  created_at: TimeMs
  updated_at: TimeMs
}

/** Who did what, and who tried to. Triggers refuse to change rows, and to delete them before they expire. */
export type AuditLogTable = {
  id: ColumnType<string, string, never>
  at: ColumnType<number, number, never>
  expires_at: ColumnType<number, number, never>
  project: string | null
  /** How the caller identified itself; `anonymous` if it did not. */
  kind: string
  subject: string | null
  issuer: string | null
  token_id: string | null
  action: string
  method: string
  outcome: 'allowed' | 'denied' | 'failed'
  /** The HTTP status. */
  status: number
  code: string | null
  repository: string | null
  resource: string | null
  address: string | null
  request_id: string | null
  /** The number of requests that this row counts. */
  count: number
}

export type Tables = {
  audit_log: AuditLogTable
  registry_credentials: RegistryCredentialsTable
  login_sessions: LoginSessionsTable
  projects: ProjectsTable
  api_tokens: ApiTokensTable
  catalogue_images: CatalogueImagesTable
  catalogue_image_terms: TermsTable
  catalogue_conversions: CatalogueConversionsTable
  catalogue_conversion_terms: TermsTable
  catalogue_repositories: CatalogueRepositoriesTable
  catalogue_projects: CatalogueProjectsTable
  catalogue_checks: CatalogueChecksTable
  scans: ScansTable
  record_terms: TermsTable
  job_tallies: JobTalliesTable
  job_series: JobSeriesTable
  job_series_times: JobSeriesTimesTable
  project_series: ProjectSeriesTable
  project_series_times: ProjectSeriesTimesTable
  job_series_backfill: JobSeriesBackfillTable
  batch_labels: BatchLabelsTable
  converted_layers: ConvertedLayersTable
  converted_layer_indexes: ConvertedLayerIndexesTable
  converted_images: ConvertedImagesTable
  cache_uses: CacheUsesTable
  project_cache_uses: ProjectCacheUsesTable
  records: RecordsTable
  publications: PublicationsTable
  jobs: JobsTable
  job_attempts: JobAttemptsTable
  job_events: JobEventsTable
  job_labels: JobLabelsTable
  host_pauses: HostPausesTable
  tag_moves: TagMovesTable
  request_keys: RequestKeysTable
  callbacks: CallbacksTable
  batches: BatchesTable
  rules: RulesTable
  workers: WorkersTable
  batch_jobs: BatchJobsTable
  deliveries: DeliveriesTable
}
