import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

const FINISHED = "('succeeded', 'failed', 'cancelled')"
const CHANGED = `old.state <> new.state and (old.state in ${FINISHED} or new.state in ${FINISHED})`
const COUNTED = ['succeeded', 'failed', 'cancelled'] as const
const STATE = `case when succeeded + failed + cancelled < jobs then 'running'
  when failed + cancelled > 0 then 'failed' else 'succeeded' end`

/**
 * The state of a batch, the counts of its jobs, and its labels, so that listing batches reads no jobs but the
 * running ones. Triggers fill them in the transaction that creates the batch, ends a job or retries it, whichever
 * version writes it: replicas of the previous one may be running.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (statement: string) => sql.raw(statement).execute(db)
  const postgres = isPostgres(db)
  if (postgres) await run('lock table jobs, batches, batch_jobs in share row exclusive mode')
  for (const name of ['jobs', ...COUNTED]) {
    await db.schema
      .alterTable('batches')
      .addColumn(name, 'integer', (column) => column.notNull().defaultTo(0))
      .execute()
  }
  await db.schema
    .alterTable('batches')
    .addColumn('state', 'text', (column) => column.notNull().defaultTo('running'))
    .execute()
  await db.schema
    .createTable('batch_labels')
    .addColumn('batch_id', 'text', (column) => column.notNull().references('batches.id').onDelete('cascade'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('batch_labels_key', ['name', 'value', 'batch_id'])
    .execute()
  const labels = postgres
    ? 'cross join lateral json_each_text(batches.labels::json) as label'
    : 'cross join json_each(batches.labels) as label'
  await run(
    `insert into batch_labels (batch_id, name, value) select batches.id, label.key, label.value from batches ${labels}`,
  )
  const counts = COUNTED.map(
    (state) => `sum(case when jobs.state = '${state}' then 1 else 0 end) as ${state}`,
  )
  await run(`update batches set jobs = found.jobs, succeeded = found.succeeded, failed = found.failed, cancelled = found.cancelled
    from (select batch_id, count(*) as jobs, ${counts.join(', ')}
      from batch_jobs inner join jobs on jobs.id = batch_jobs.job_id group by batch_id) as found
    where found.batch_id = batches.id`)
  await run(`update batches set state = ${STATE}`)
  await run('create index batches_by_state on batches (state, id)')
  await run('create index batch_labels_batch on batch_labels (batch_id)')
  for (const statement of postgres ? postgresTriggers() : sqliteTriggers()) await run(statement)
}

/**
 * Moves a job from its old to its new state in the counts of its batches. A batch may name a job more than
 * once.
 */
function moveCounts(): string[] {
  const times = 'select count(*) from batch_jobs where batch_id = batches.id and job_id = new.id'
  const changes = COUNTED.map(
    (state) =>
      `${state} = ${state} + (${times}) * ((case when new.state = '${state}' then 1 else 0 end) - (case when old.state = '${state}' then 1 else 0 end))`,
  )
  const affected = 'where id in (select batch_id from batch_jobs where job_id = new.id)'
  return [
    `update batches set ${changes.join(', ')} ${affected};`,
    `update batches set state = ${STATE} ${affected};`,
  ]
}

function sqliteTriggers(): string[] {
  return [
    `create trigger jobs_batches after update of state on jobs when ${CHANGED} begin ${moveCounts().join(' ')} end`,
    `create trigger batch_jobs_count after insert on batch_jobs begin
      update batches set jobs = jobs + 1 where id = new.batch_id;
    end`,
    `create trigger batches_labels after insert on batches begin
      insert into batch_labels (batch_id, name, value) select new.id, key, value from json_each(new.labels);
    end`,
  ]
}

/** Deferred to the commit, so that the row of a batch is locked last and as briefly as possible. */
function postgresTriggers(): string[] {
  return [
    // Locked in one order: two jobs that are in the same batches may end at the same time.
    `create function count_job_in_batches() returns trigger language plpgsql as $$ begin
      perform 1 from batches where id in (select batch_id from batch_jobs where job_id = new.id) order by id for update;
      if found then ${moveCounts().join(' ')} end if;
      return null;
    end $$`,
    `create constraint trigger jobs_batches after update of state on jobs deferrable initially deferred
      for each row when (${CHANGED}) execute function count_job_in_batches()`,
    `create function count_jobs_of_batch() returns trigger language plpgsql as $$ begin
      update batches set jobs = batches.jobs + found.jobs
        from (select batch_id, count(*) as jobs from added group by batch_id) as found where id = found.batch_id;
      return null;
    end $$`,
    `create trigger batch_jobs_count after insert on batch_jobs referencing new table as added
      for each statement execute function count_jobs_of_batch()`,
    `create function store_labels_of_batch() returns trigger language plpgsql as $$ begin
      insert into batch_labels (batch_id, name, value) select new.id, key, value from json_each_text(new.labels::json);
      return null;
    end $$`,
    `create trigger batches_labels after insert on batches for each row execute function store_labels_of_batch()`,
  ]
}
