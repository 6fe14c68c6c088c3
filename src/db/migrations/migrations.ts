import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { isPostgres } from '../engine.ts'
import { addJobResults } from './job-results.ts'
import { addJobTallies } from './job-tallies.ts'
import { addOneRunningJob } from './one-running-job.ts'

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
  '0004-leases-attempts-events': {
    async up(db: Kysely<unknown>): Promise<void> {
      const texts = ['token', 'unique_key', 'request_key'] as const
      for (const name of texts) await db.schema.alterTable('jobs').addColumn(name, 'text').execute()
      for (const name of ['source_host', 'target_host'] as const) {
        await db.schema
          .alterTable('jobs')
          .addColumn(name, 'text', (column) => column.notNull().defaultTo(''))
          .execute()
      }
      await db.schema
        .alterTable('jobs')
        .addColumn('labels', 'text', (column) => column.notNull().defaultTo('{}'))
        .execute()
      for (const name of ['priority', 'throttles', 'event_seq'] as const) {
        await db.schema
          .alterTable('jobs')
          .addColumn(name, 'integer', (column) => column.notNull().defaultTo(0))
          .execute()
      }
      await db.schema.alterTable('jobs').addColumn('cancel_requested_at', 'bigint').execute()
      await db.schema
        .createTable('job_attempts')
        .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
        .addColumn('attempt', 'integer', (column) => column.notNull())
        .addColumn('owner', 'text', (column) => column.notNull())
        .addColumn('started_at', 'bigint', (column) => column.notNull())
        .addColumn('ended_at', 'bigint')
        .addColumn('outcome', 'text')
        .addColumn('error', 'text')
        .addPrimaryKeyConstraint('job_attempts_key', ['job_id', 'attempt'])
        .execute()
      await db.schema
        .createTable('job_events')
        .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
        .addColumn('seq', 'integer', (column) => column.notNull())
        .addColumn('tx', 'bigint', (column) => column.notNull())
        .addColumn('type', 'text', (column) => column.notNull())
        .addColumn('data', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('job_events_key', ['job_id', 'seq'])
        .execute()
      await db.schema
        .createTable('job_labels')
        .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('job_labels_key', ['name', 'value', 'job_id'])
        .execute()
      await db.schema
        .createTable('host_pauses')
        .addColumn('host', 'text', (column) => column.primaryKey())
        .addColumn('until', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema.dropIndex('jobs_claim').execute()
      const indexes = [
        "jobs_due on jobs (priority desc, run_at, id) where state = 'queued'",
        "jobs_leased on jobs (lease_until) where state = 'running'",
        'jobs_by_state on jobs (kind, state, id)',
        'jobs_by_source on jobs (kind, source, id)',
        'jobs_by_target on jobs (kind, target, id)',
        'jobs_by_record on jobs (record_id)',
        'job_labels_job on job_labels (job_id)',
        'job_events_order on job_events (tx, job_id, seq)',
      ]
      for (const index of indexes) await sql.raw(`create index ${index}`).execute(db)
      await sql`create unique index jobs_unique on jobs (unique_key) where state in ('queued', 'running')`.execute(
        db,
      )
      await sql`create unique index jobs_requested on jobs (request_key)`.execute(db)
    },
  },
  '0005-tag-moves': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('tag_moves')
        .addColumn('target', 'text', (column) => column.primaryKey())
        .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
        .addColumn('token', 'text', (column) => column.notNull())
        .addColumn('digest', 'text', (column) => column.notNull())
        .addColumn('phase', 'text', (column) => column.notNull())
        .addColumn('changed_at', 'bigint', (column) => column.notNull())
        .execute()
      await sql`create index tag_moves_open on tag_moves (phase) where phase = 'intended'`.execute(db)
      await sql`create index tag_moves_job on tag_moves (job_id)`.execute(db)
    },
  },
  '0006-request-keys': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('request_keys')
        .addColumn('key', 'text', (column) => column.primaryKey())
        .addColumn('fingerprint', 'text', (column) => column.notNull())
        .addColumn('answer', 'text')
        .addColumn('locked_until', 'bigint', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute()
      await sql`create index request_keys_age on request_keys (created_at)`.execute(db)
    },
  },
  '0007-events-and-callbacks': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('callbacks')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
        .addColumn('url', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('attempt', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('tries', 'integer', (column) => column.notNull().defaultTo(0))
        .addColumn('run_at', 'bigint', (column) => column.notNull())
        .addUniqueConstraint('callbacks_identity', ['job_id', 'url'])
        .execute()
      await sql`create index job_events_age on job_events (created_at)`.execute(db)
      await sql`create index callbacks_due on callbacks (run_at) where state = 'due'`.execute(db)
      await db.schema
        .createTable('deliveries')
        .addColumn('callback_id', 'text', (column) =>
          column.notNull().references('callbacks.id').onDelete('cascade'),
        )
        .addColumn('attempt', 'integer', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('status', 'integer')
        .addColumn('error', 'text')
        .addPrimaryKeyConstraint('deliveries_key', ['callback_id', 'attempt'])
        .execute()
    },
  },
  '0008-batches': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('batches')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('labels', 'text', (column) => column.notNull())
        .addColumn('request_key', 'text', (column) => column.unique())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('batch_jobs')
        .addColumn('batch_id', 'text', (column) =>
          column.notNull().references('batches.id').onDelete('cascade'),
        )
        .addColumn('position', 'integer', (column) => column.notNull())
        .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
        .addPrimaryKeyConstraint('batch_jobs_key', ['batch_id', 'position'])
        .execute()
      await sql`create index batch_jobs_job on batch_jobs (job_id)`.execute(db)
    },
  },
  '0009-rules': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('rules')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('document', 'text', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .execute()
    },
  },
  '0010-workers': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('workers')
        .addColumn('owner', 'text', (column) => column.primaryKey())
        .addColumn('concurrency', 'integer', (column) => column.notNull())
        .addColumn('seen_at', 'bigint', (column) => column.notNull())
        .execute()
    },
  },
  '0011-cache-upkeep': {
    async up(db: Kysely<unknown>): Promise<void> {
      // What was remembered so far does not say what its blobs are, and has indexes as text; it is made again.
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
    },
  },
  '0012-one-running-job': { up: addOneRunningJob },
  // What changes jobs and then the table has to `set constraints all immediate` from here on (PostgreSQL).
  '0013-job-tallies': { up: addJobTallies },
  '0014-sources-of-verifications': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable('jobs').addColumn('compared_with', 'text').execute()
      await sql`create index jobs_by_comparison on jobs (kind, compared_with, id) where compared_with is not null`.execute(
        db,
      )
      // Most jobs have neither: their entries were in the way of every write.
      for (const name of ['jobs_requested', 'jobs_by_record']) await db.schema.dropIndex(name).execute()
      await sql`create unique index jobs_requested on jobs (request_key) where request_key is not null`.execute(
        db,
      )
      await sql`create index jobs_by_record on jobs (record_id) where record_id is not null`.execute(db)
    },
  },
  '0015-indexes-in-parts': {
    async up(db: Kysely<unknown>): Promise<void> {
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
    },
  },
  '0016-rank-and-suspects': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .alterTable('jobs')
        .addColumn('queued_at', 'bigint', (column) => column.notNull().defaultTo(0))
        .execute()
      await db.schema
        .alterTable('jobs')
        .addColumn('suspect', 'integer', (column) => column.notNull().defaultTo(0))
        .execute()
      await sql`update jobs set queued_at = run_at where state in ('queued', 'running')`.execute(db)
      await db.schema.dropIndex('jobs_due').execute()
      // With run_at, so that jobs that may not be taken yet are passed over without a look at the table.
      await sql`create index jobs_due on jobs (priority desc, queued_at, id, run_at) where state = 'queued'`.execute(
        db,
      )
      await sql`create index job_attempts_dead on job_attempts (owner) where ended_at is null or outcome = 'crashed'`.execute(
        db,
      )
    },
  },
  '0017-notes-on-profiles': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .alterTable('records')
        .addColumn('notes', 'text', (column) => column.notNull().defaultTo('{}'))
        .execute()
    },
  },
  '0018-results-of-conversions': { up: addJobResults },
}
