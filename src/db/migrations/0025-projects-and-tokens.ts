import { type Kysely, sql } from 'kysely'

/** Projects, which share a broker, and API tokens. What was stored before belongs to the project `default`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('projects')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('api_tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    // A keyed hash of the token: what the database holds opens nothing.
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('used_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    // The token that took its place. The former one expires when the overlap has passed.
    .addColumn('successor', 'text')
    .execute()
  await sql`create unique index api_tokens_hash on api_tokens (hash)`.execute(db)
  await sql`create index api_tokens_project on api_tokens (project, id)`.execute(db)
}
