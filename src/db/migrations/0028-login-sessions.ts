import { type Kysely, sql } from 'kysely'

/** The sessions of people who have logged in at an OIDC issuer. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('login_sessions')
    // A keyed hash: what the database holds opens nothing.
    .addColumn('id_hash', 'text', (column) => column.primaryKey())
    .addColumn('issuer', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('policy', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('used_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await sql`create index login_sessions_person on login_sessions (issuer, subject)`.execute(db)
  await sql`create index login_sessions_end on login_sessions (expires_at)`.execute(db)
  await sql`create index login_sessions_use on login_sessions (used_at)`.execute(db)
}
