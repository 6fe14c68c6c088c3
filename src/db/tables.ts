import type { ColumnType, Generated } from 'kysely'

/** Milliseconds since 1970, by the database's clock where processes compare times. */
type TimeMs = number
/** A JSON document, stored as text on both engines. */
type JsonText = string

export type RecordsTable = {
  id: ColumnType<string, string, never>
  /** The digest of the canonical content. */
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
  report: JsonText | null
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
}

export type JobAttemptsTable = {
  job_id: string
  attempt: number
  owner: string
  started_at: TimeMs
  ended_at: TimeMs | null
  outcome: 'succeeded' | 'failed' | 'throttled' | 'handed-back' | 'crashed' | 'cancelled' | null
  error: JsonText | null
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
  report: JsonText
  /** The digest of the converted manifest or index. `size` is in bytes. */
  digest: string
  size: number
  host: string
  repository: string
  used_at: TimeMs
  checked_at: TimeMs
}

/** Cache uses, counted per day. */
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

/** Jobs that were requested together. */
export type BatchesTable = {
  id: ColumnType<string, string, never>
  labels: JsonText
  request_key: string | null
  created_at: TimeMs
}

/** A job can be in several batches, and several times in one. */
export type BatchJobsTable = { batch_id: string; position: number; job_id: string }

/** Rules that select pushed images for conversion. */
export type RulesTable = { id: ColumnType<string, string, never>; document: JsonText; updated_at: TimeMs }

/** Running worker processes. */
export type WorkersTable = { owner: string; concurrency: number; seen_at: TimeMs }

/** Counts of finished jobs: the sum over all shards. Maintained by triggers, see `0013-job-tallies.ts`. */
export type JobTalliesTable = {
  kind: JobsTable['kind']
  state: JobsTable['state']
  shard: number
  jobs: number
}

export type Tables = {
  job_tallies: JobTalliesTable
  converted_layers: ConvertedLayersTable
  converted_layer_indexes: ConvertedLayerIndexesTable
  converted_images: ConvertedImagesTable
  cache_uses: CacheUsesTable
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
