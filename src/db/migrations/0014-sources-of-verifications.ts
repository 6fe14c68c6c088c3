import { type Kysely, sql } from 'kysely'

/** The image that a verification compares with, and partial indexes for columns that are mostly empty. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('compared_with', 'text').execute()
  await sql`create index jobs_by_comparison on jobs (kind, compared_with, id) where compared_with is not null`.execute(
    db,
  )
  // Most jobs have neither a request key nor a record: indexing them slowed every write.
  for (const name of ['jobs_requested', 'jobs_by_record']) await db.schema.dropIndex(name).execute()
  await sql`create unique index jobs_requested on jobs (request_key) where request_key is not null`.execute(
    db,
  )
  await sql`create index jobs_by_record on jobs (record_id) where record_id is not null`.execute(db)
}
