import { type Kysely, sql } from 'kysely'

/** The last move of each target tag. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tag_moves')
    .addColumn('target', 'text', (column) => column.primaryKey())
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
    .addColumn('token', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('phase', 'text', (column) => column.notNull())
    .addColumn('changed_at', 'bigint', (column) => column.notNull())
    .execute()
  await sql`create index tag_moves_open on tag_moves (phase) where phase = 'intended'`.execute(db)
  await sql`create index tag_moves_job on tag_moves (job_id)`.execute(db)
}
