import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

/** Digests, sizes and check times of cached layers, the cache of images, and counts of cache uses. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Existing entries lack the digests of their blobs and store indexes as text. Later conversions recreate
  // them.
  await sql`delete from converted_layers`.execute(db)
  await db.schema.alterTable('converted_layers').dropColumn('member_index').execute()
  await db.schema
    .alterTable('converted_layers')
    .addColumn('member_index', isPostgres(db) ? 'bytea' : 'blob')
    .execute()
  await db.schema
    .alterTable('converted_layers')
    .addColumn('digest', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
  for (const name of ['size', 'checked_at'] as const) {
    await db.schema
      .alterTable('converted_layers')
      .addColumn(name, 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
  }
  await db.schema
    .createTable('converted_images')
    .addColumn('exact_key', 'text', (column) => column.primaryKey())
    .addColumn('report', 'text', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('size', 'bigint', (column) => column.notNull())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('repository', 'text', (column) => column.notNull())
    .addColumn('used_at', 'bigint', (column) => column.notNull())
    .addColumn('checked_at', 'bigint', (column) => column.notNull())
    .execute()
  for (const table of ['converted_layers', 'converted_images'] as const) {
    await db.schema.createIndex(`${table}_checked`).on(table).columns(['checked_at']).execute()
  }
  await sql`create index converted_images_used on converted_images (used_at)`.execute(db)
  await db.schema
    .createTable('cache_uses')
    .addColumn('day', 'integer', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('count', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('cache_uses_key', ['day', 'kind', 'outcome'])
    .execute()
}
