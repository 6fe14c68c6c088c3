import { type Kysely, sql } from 'kysely'

/** Batches of jobs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('batches')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('labels', 'text', (column) => column.notNull())
    .addColumn('request_key', 'text', (column) => column.unique())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('batch_jobs')
    .addColumn('batch_id', 'text', (column) => column.notNull().references('batches.id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('batch_jobs_key', ['batch_id', 'position'])
    .execute()
  await sql`create index batch_jobs_job on batch_jobs (job_id)`.execute(db)
}
