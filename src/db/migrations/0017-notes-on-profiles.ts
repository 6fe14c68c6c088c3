import type { Kysely } from 'kysely'

/** Notes on profiles. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('records')
    .addColumn('notes', 'text', (column) => column.notNull().defaultTo('{}'))
    .execute()
}
