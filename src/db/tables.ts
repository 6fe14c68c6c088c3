import type { ColumnType, Generated } from 'kysely'

/** A moment, in milliseconds since 1970, by the database's clock where rows of several processes meet. */
type Moment = number
/** A JSON document as text: one code path for both engines. */
type JsonText = string

export type RecordsTable = {
  id: ColumnType<string, string, never>
  /** Digest of the canonical content. */
  digest: string
  /** The profiled image as given, or '' (a unique key cannot hold NULL on both engines). */
  image: string
  workload: string
  labels: JsonText
  format: string
  entries: number
  paths: number
  content: string
  created_at: Moment
  /** What of the profile is no entry: counts by reason. */
  skipped: Generated<JsonText>
  notes: Generated<JsonText>
  /** What made the profile, or ''. */
  profiler: Generated<string>
  profiler_version: Generated<string>
  /** Of a record that was made of others. */
  provenance: JsonText | null
}

export type PublicationsTable = {
  id: ColumnType<string, string, never>
  record_id: string
  reference: string
  digest: string
  created_at: Moment
}

export type JobsTable = {
  id: ColumnType<string, string, never>
  kind: 'conversion' | 'verification'
  state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'
  source: string
  target: string
  /** The image that a verification compares with. */
  compared_with: string | null
  /** The registries at both ends, or ''. */
  source_host: Generated<string>
  target_host: Generated<string>
  /** The stored record that the job will read: it may not be deleted before. */
  record_id: string | null
  request: JsonText
  labels: Generated<JsonText>
  /** Higher ones go first. */
  priority: Generated<number>
  /** The same for jobs that would do the same; one of them is queued or running at a time. */
  unique_key: string | null
  /** The idempotency key of the request that made it: there is one job for it. */
  request_key: string | null
  progress: JsonText | null
  report: JsonText | null
  /** What listings show of the report of a conversion, which can be long. */
  result_digest: string | null
  result_size: number | null
  result_source_size: number | null
  error: JsonText | null
  /** Grows with every claim. */
  attempt: Generated<number>
  /** Attempts that ended with an error that may pass. */
  failures: Generated<number>
  /** Leases that ran out: the worker died. */
  crashes: Generated<number>
  /** Attempts that ended because a registry asked for fewer requests. */
  throttles: Generated<number>
  owner: string | null
  /** Fencing token: another one for every claim. */
  token: string | null
  lease_until: Moment | null
  cancel_requested_at: Moment | null
  /** No worker takes it before. */
  run_at: Moment
  /** Its rank among jobs of one priority, which it keeps when an attempt comes to nothing. */
  queued_at: Generated<number>
  /** 1 once a worker died while it ran: a worker that takes it does nothing else meanwhile. */
  suspect: Generated<number>
  created_at: Moment
  started_at: Moment | null
  finished_at: Moment | null
  /** Events so far. */
  event_seq: Generated<number>
}

export type JobAttemptsTable = {
  job_id: string
  attempt: number
  owner: string
  started_at: Moment
  ended_at: Moment | null
  outcome: 'succeeded' | 'failed' | 'throttled' | 'handed-back' | 'crashed' | 'cancelled' | null
  error: JsonText | null
}

export type JobEventsTable = {
  job_id: string
  /** From 1 in each job. */
  seq: number
  /** Orders the events of all jobs, see `Database.transactionId`. */
  tx: number
  type: string
  data: JsonText
  created_at: Moment
}

export type JobLabelsTable = { job_id: string; name: string; value: string }

/** Registries that asked for fewer requests: no job with them begins before. */
export type HostPausesTable = { host: string; until: Moment }

/** Where the members of a converted layer lie, packed, in parts that follow each other from 0 on. */
export type ConvertedLayerIndexesTable = { exact_key: string; part: number; bytes: Uint8Array }

export type ConvertedLayersTable = {
  /** Digest of all that the layer depends on; of source and options alone. */
  exact_key: ColumnType<string, string, never>
  base_key: string
  layer: JsonText
  /** Of the converted blob; its size is in bytes. */
  digest: string
  size: number
  /** Where the blob was last known to lie. */
  host: string
  repository: string
  used_at: Moment
  /** When the registry was last known to have it. */
  checked_at: Moment
}

/** What whole conversions came out as. */
export type ConvertedImagesTable = {
  /** Digest of all that the image depends on. */
  exact_key: ColumnType<string, string, never>
  report: JsonText
  /** Of the converted manifest or index; its size is in bytes. */
  digest: string
  size: number
  host: string
  repository: string
  used_at: Moment
  checked_at: Moment
}

/** How often something was found in the cache, by day. */
export type CacheUsesTable = {
  /** Days since 1970, UTC. */
  day: number
  kind: 'image' | 'layer'
  /** gone: forgotten, as it was not in the registry any more. */
  outcome: 'reused' | 'rearranged' | 'made' | 'gone'
  count: number
  /** Of converted layers. */
  bytes: number
}

/** The last move of each target tag. */
export type TagMovesTable = {
  target: string
  job_id: string
  /** Of the lease under which it was intended. */
  token: string
  digest: string
  /** `intended` until it is known what became of it. */
  phase: 'intended' | 'landed' | 'not-landed'
  changed_at: Moment
}

/** Idempotency keys of requests, and how they were answered. */
export type RequestKeysTable = {
  key: string
  /** Digest of method, address and body. */
  fingerprint: string
  /** null while the request is being answered. */
  answer: JsonText | null
  /** Whoever answers it and dies is in the way until then. */
  locked_until: Moment
  created_at: Moment
}

/** Who wants to be told how a job ended. */
export type CallbacksTable = {
  id: ColumnType<string, string, never>
  job_id: string
  url: string
  /** waiting: for the end of the job; due: to be delivered at `run_at`. */
  state: 'waiting' | 'due' | 'delivered' | 'failed'
  /** Tries so far; those for the present end of the job. */
  attempt: Generated<number>
  tries: Generated<number>
  run_at: Moment
}

/** One try to deliver a callback. */
export type DeliveriesTable = {
  callback_id: string
  attempt: number
  at: Moment
  /** Of the answer, where there was one. */
  status: number | null
  error: string | null
}

/** Jobs that were asked for together. */
export type BatchesTable = {
  id: ColumnType<string, string, never>
  labels: JsonText
  request_key: string | null
  created_at: Moment
}

/** A job can be in several batches, and in one more than once. */
export type BatchJobsTable = { batch_id: string; position: number; job_id: string }

/** What is converted when it is pushed. */
export type RulesTable = { id: ColumnType<string, string, never>; document: JsonText; updated_at: Moment }

/** Worker processes that run. */
export type WorkersTable = { owner: string; concurrency: number; seen_at: Moment }

/** Jobs that are over; the sum over shards counts. Triggers keep it, see `job-tallies.ts`. */
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
