import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Migrations by name, in order. One that has been released is never edited. */
export const MIGRATIONS: Record<string, Migration> = {
  '0001-records-and-jobs': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('records')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('image', 'text', (column) => column.notNull())
        .addColumn('workload', 'text', (column) => column.notNull())
        .addColumn('labels', 'text', (column) => column.notNull())
        .addColumn('format', 'text', (column) => column.notNull())
        .addColumn('entries', 'integer', (column) => column.notNull())
        .addColumn('paths', 'integer', (column) => column.notNull())
        .addColumn('content', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addUniqueConstraint('records_identity', ['digest', 'image', 'workload'])
        .execute()
      await db.schema
        .createTable('publications')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('record_id', 'text', (column) =>
          column.notNull().references('records.id').onDelete('cascade'),
        )
        .addColumn('reference', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addUniqueConstraint('publications_identity', ['record_id', 'reference'])
        .execute()
      await db.schema
        .createTable('jobs')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('source', 'text', (column) => column.notNull())
        .addColumn('target', 'text', (column) => column.notNull())
        .addColumn('record_id', 'text')
        .addColumn('request', 'text', (column) => column.notNull())
        .addColumn('progress', 'text')
        .addColumn('report', 'text')
        .addColumn('error', 'text')
        .addColumn('attempt', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('failures', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('crashes', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('owner', 'text')
        .addColumn('lease_until', 'bigint')
        .addColumn('run_at', 'bigint', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('started_at', 'bigint')
        .addColumn('finished_at', 'bigint')
        .execute()
      await db.schema.createIndex('jobs_claim').on('jobs').columns(['state', 'run_at']).execute()
      await db.schema.createIndex('jobs_list').on('jobs').columns(['kind', 'id']).execute()
    },
  },
  '0002-origins-of-records': {
    async up(db: Kysely<unknown>): Promise<void> {
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
    },
  },
  '0003-converted-layers': {
    async up(db: Kysely<unknown>): Promise<void> {
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
      await db.schema
        .createIndex('converted_layers_used')
        .on('converted_layers')
        .columns(['used_at'])
        .execute()
    },
  },
}
