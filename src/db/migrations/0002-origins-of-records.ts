import type { Kysely } from 'kysely'

/**
 * Which lines of a profile were skipped, which profiler wrote it, and the records that a record was derived
 * from.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('records')
    .addColumn('skipped', 'text', (column) => column.notNull().defaultTo('{}'))
    .execute()
  await db.schema
    .alterTable('records')
    .addColumn('profiler', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
  await db.schema
    .alterTable('records')
    .addColumn('profiler_version', 'text', (column) => column.notNull().defaultTo(''))
    .execute()
  await db.schema.alterTable('records').addColumn('provenance', 'text').execute()
}
