import { type Kysely, sql } from 'kysely'

/** Callbacks with their deliveries, and an index of events by age. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('callbacks')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('attempt', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('tries', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('run_at', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('callbacks_identity', ['job_id', 'url'])
    .execute()
  await sql`create index job_events_age on job_events (created_at)`.execute(db)
  await sql`create index callbacks_due on callbacks (run_at) where state = 'due'`.execute(db)
  await db.schema
    .createTable('deliveries')
    .addColumn('callback_id', 'text', (column) =>
      column.notNull().references('callbacks.id').onDelete('cascade'),
    )
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('status', 'integer')
    .addColumn('error', 'text')
    .addPrimaryKeyConstraint('deliveries_key', ['callback_id', 'attempt'])
    .execute()
}
