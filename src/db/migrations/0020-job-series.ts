import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

/**
 * Tallies of what jobs did per hour and per day, and the position of the background task that adds the jobs
 * that ended before this migration.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const counts = [
    'succeeded',
    'failed',
    'cancelled',
    'attempts',
    'retries',
    'bytes_in',
    'bytes_out',
    'bytes_reused',
  ]
  let series = db.schema
    .createTable('job_series')
    .addColumn('resolution', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('start', 'bigint', (column) => column.notNull())
    .addColumn('shard', 'integer', (column) => column.notNull())
  for (const name of counts)
    series = series.addColumn(name, 'bigint', (column) => column.notNull().defaultTo(0))
  await series.addPrimaryKeyConstraint('job_series_key', ['resolution', 'kind', 'start', 'shard']).execute()
  await db.schema
    .createTable('job_series_times')
    .addColumn('resolution', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('start', 'bigint', (column) => column.notNull())
    .addColumn('measure', 'text', (column) => column.notNull())
    .addColumn('bucket', 'integer', (column) => column.notNull())
    .addColumn('shard', 'integer', (column) => column.notNull())
    .addColumn('jobs', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('job_series_times_key', [
      'resolution',
      'kind',
      'start',
      'measure',
      'bucket',
      'shard',
    ])
    .execute()
  await db.schema
    .createTable('job_series_backfill')
    .addColumn('kind', 'text', (column) => column.primaryKey())
    // Jobs that ended from this time on were tallied when they ended.
    .addColumn('ended_before', 'bigint', (column) => column.notNull())
    // Jobs with greater ids have been added. Null: none yet.
    .addColumn('added_from', 'text')
    .execute()
  const now = isPostgres(db)
    ? sql`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
    : sql`cast(unixepoch('subsec') * 1000 as integer)`
  await sql`insert into job_series_backfill (kind, ended_before) select kind, ${now} from jobs group by kind`.execute(
    db,
  )
}
