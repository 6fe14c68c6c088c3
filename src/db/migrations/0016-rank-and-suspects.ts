import { type Kysely, sql } from 'kysely'

/** The rank of queued jobs, and jobs that are suspected to have killed a worker. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('jobs')
    .addColumn('queued_at', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute()
  await db.schema
    .alterTable('jobs')
    .addColumn('suspect', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  await sql`update jobs set queued_at = run_at where state in ('queued', 'running')`.execute(db)
  await db.schema.dropIndex('jobs_due').execute()
  // The index includes run_at, so that a claim skips jobs that are not due without reading the table.
  await sql`create index jobs_due on jobs (priority desc, queued_at, id, run_at) where state = 'queued'`.execute(
    db,
  )
  await sql`create index job_attempts_dead on job_attempts (owner) where ended_at is null or outcome = 'crashed'`.execute(
    db,
  )
}
