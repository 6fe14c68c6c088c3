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
  state: 'queued' | 'running' | 'succeeded' | 'failed'
  source: string
  target: string
  /** The stored record that the job will read: it may not be deleted before. */
  record_id: string | null
  request: JsonText
  progress: JsonText | null
  report: JsonText | null
  error: JsonText | null
  /** Fencing token: grows with every claim. */
  attempt: Generated<number>
  /** Attempts that ended with an error that may pass. */
  failures: Generated<number>
  /** Leases that ran out: the worker died. */
  crashes: Generated<number>
  owner: string | null
  lease_until: Moment | null
  run_at: Moment
  created_at: Moment
  started_at: Moment | null
  finished_at: Moment | null
}

export type ConvertedLayersTable = {
  /** Digest of all that the layer depends on; of source and options alone. */
  exact_key: ColumnType<string, string, never>
  base_key: string
  layer: JsonText
  /** Where the blob was last known to lie. */
  host: string
  repository: string
  /** Gzipped JSON in base64: one column type for both engines. */
  member_index: string | null
  used_at: Moment
}

export type Tables = {
  converted_layers: ConvertedLayersTable
  records: RecordsTable
  publications: PublicationsTable
  jobs: JobsTable
}
