import type { Kysely } from 'kysely'

/** Worker processes that are running. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('workers')
    .addColumn('owner', 'text', (column) => column.primaryKey())
    .addColumn('concurrency', 'integer', (column) => column.notNull())
    .addColumn('seen_at', 'bigint', (column) => column.notNull())
    .execute()
}
