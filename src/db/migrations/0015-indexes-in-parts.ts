import type { Kysely } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

/** Member indexes of cached layers, stored in parts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('converted_layers').dropColumn('member_index').execute()
  await db.schema
    .createTable('converted_layer_indexes')
    .addColumn('exact_key', 'text', (column) =>
      column.notNull().references('converted_layers.exact_key').onDelete('cascade'),
    )
    .addColumn('part', 'integer', (column) => column.notNull())
    .addColumn('bytes', isPostgres(db) ? 'bytea' : 'blob', (column) => column.notNull())
    .addPrimaryKeyConstraint('converted_layer_indexes_key', ['exact_key', 'part'])
    .execute()
}
