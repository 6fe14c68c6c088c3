import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

/**
 * The catalogue: images, record images and conversions as they were last seen in registries, and the terms by
 * which they and the stored records are found. The tables start empty and are filled in the background.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Compared by its bytes, so that the repositories of a registry are a range in every locale.
  const location = isPostgres(db) ? sql`text collate "C"` : sql`text`
  await db.schema
    .createTable('catalogue_images')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('reference', 'text', (column) => column.notNull().unique())
    .addColumn('location', location, (column) => column.notNull())
    .addColumn('tag', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('is_read', 'integer', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('seen_at', 'bigint', (column) => column.notNull())
    .addColumn('compared_at', 'bigint', (column) => column.notNull())
    .execute()
  await createIndex(db, 'catalogue_images_by_location', 'catalogue_images (location, tag, id)')
  await createIndex(db, 'catalogue_images_by_digest', 'catalogue_images (digest)')
  await db.schema
    .createTable('catalogue_conversions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('identity', 'text', (column) => column.notNull().unique())
    .addColumn('job_id', 'text', (column) => column.notNull())
    .addColumn('document', 'text', (column) => column.notNull())
    .addColumn('finished_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('catalogue_repositories')
    .addColumn('location', location, (column) => column.primaryKey())
    .addColumn('compared_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('catalogue_checks')
    .addColumn('reference', 'text', (column) => column.primaryKey())
    .addColumn('due_at', 'bigint', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .execute()
  await createIndex(db, 'catalogue_checks_due', 'catalogue_checks (due_at)')
  await db.schema
    .createTable('scans')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('owner', 'text')
    .addColumn('lease_until', 'bigint', (column) => column.notNull())
    .execute()
  await createTermTable(db, 'catalogue_image_terms', 'catalogue_images')
  await createTermTable(db, 'catalogue_conversion_terms', 'catalogue_conversions')
  await createTermTable(db, 'record_terms', 'records')
  await createIndex(db, 'publications_by_reference', 'publications (reference)')
  // The records of earlier releases get their terms in the background. A new database has none.
  await sql`insert into scans (name, state, lease_until)
    select 'record-terms', '{"after":"","isComplete":true}', 0 where not exists (select 1 from records)`.execute(
    db,
  )
}

/** Terms compare by their bytes, so that a prefix is a range. `item` is the id of a row of `owner`. */
async function createTermTable(db: Kysely<unknown>, table: string, owner: string): Promise<void> {
  const [type, suffix] = isPostgres(db) ? ['text collate "C"', ''] : ['text', ' without rowid']
  await sql
    .raw(
      `create table ${table} (
        term ${type} not null,
        item ${type} not null references ${owner} (id) on delete cascade,
        primary key (term, item)
      )${suffix}`,
    )
    .execute(db)
  await createIndex(db, `${table}_of_item`, `${table} (item, term)`)
}

async function createIndex(db: Kysely<unknown>, name: string, columns: string): Promise<void> {
  await sql.raw(`create index ${name} on ${columns}`).execute(db)
}
