import { type Kysely, sql } from 'kysely'

/** Fencing tokens, attempts, events, labels and priorities of jobs, and pauses of registries. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const texts = ['token', 'unique_key', 'request_key'] as const
  for (const name of texts) await db.schema.alterTable('jobs').addColumn(name, 'text').execute()
  for (const name of ['source_host', 'target_host'] as const) {
    await db.schema
      .alterTable('jobs')
      .addColumn(name, 'text', (column) => column.notNull().defaultTo(''))
      .execute()
  }
  await db.schema
    .alterTable('jobs')
    .addColumn('labels', 'text', (column) => column.notNull().defaultTo('{}'))
    .execute()
  for (const name of ['priority', 'throttles', 'event_seq'] as const) {
    await db.schema
      .alterTable('jobs')
      .addColumn(name, 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
  }
  await db.schema.alterTable('jobs').addColumn('cancel_requested_at', 'bigint').execute()
  await db.schema
    .createTable('job_attempts')
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('outcome', 'text')
    .addColumn('error', 'text')
    .addPrimaryKeyConstraint('job_attempts_key', ['job_id', 'attempt'])
    .execute()
  await db.schema
    .createTable('job_events')
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
    .addColumn('seq', 'integer', (column) => column.notNull())
    .addColumn('tx', 'bigint', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('job_events_key', ['job_id', 'seq'])
    .execute()
  await db.schema
    .createTable('job_labels')
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('job_labels_key', ['name', 'value', 'job_id'])
    .execute()
  await db.schema
    .createTable('host_pauses')
    .addColumn('host', 'text', (column) => column.primaryKey())
    .addColumn('until', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.dropIndex('jobs_claim').execute()
  const indexes = [
    "jobs_due on jobs (priority desc, run_at, id) where state = 'queued'",
    "jobs_leased on jobs (lease_until) where state = 'running'",
    'jobs_by_state on jobs (kind, state, id)',
    'jobs_by_source on jobs (kind, source, id)',
    'jobs_by_target on jobs (kind, target, id)',
    'jobs_by_record on jobs (record_id)',
    'job_labels_job on job_labels (job_id)',
    'job_events_order on job_events (tx, job_id, seq)',
  ]
  for (const index of indexes) await sql.raw(`create index ${index}`).execute(db)
  await sql`create unique index jobs_unique on jobs (unique_key) where state in ('queued', 'running')`.execute(
    db,
  )
  await sql`create unique index jobs_requested on jobs (request_key)`.execute(db)
}
