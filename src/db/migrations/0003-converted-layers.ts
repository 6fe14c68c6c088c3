import type { Kysely } from 'kysely'

/** The cache of converted layers. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('converted_layers')
    .addColumn('exact_key', 'text', (column) => column.primaryKey())
    .addColumn('base_key', 'text', (column) => column.notNull())
    .addColumn('layer', 'text', (column) => column.notNull())
    .addColumn('host', 'text', (column) => column.notNull())
    .addColumn('repository', 'text', (column) => column.notNull())
    .addColumn('member_index', 'text')
    .addColumn('used_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('converted_layers_base')
    .on('converted_layers')
    .columns(['base_key', 'used_at'])
    .execute()
  await db.schema.createIndex('converted_layers_used').on('converted_layers').columns(['used_at']).execute()
}
