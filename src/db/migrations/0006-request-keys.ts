import { type Kysely, sql } from 'kysely'

/** Idempotency keys of requests. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('request_keys')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('answer', 'text')
    .addColumn('locked_until', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
  await sql`create index request_keys_age on request_keys (created_at)`.execute(db)
}
