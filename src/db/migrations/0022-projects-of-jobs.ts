import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

/** Rows per project, kind and state, as in `0013-job-tallies.ts`. */
const SHARDS = 16
const FINISHED = "('succeeded', 'failed', 'cancelled')"
const CHANGED = `old.state <> new.state and (old.state in ${FINISHED} or new.state in ${FINISHED})`
const COUNTS = [
  'succeeded',
  'failed',
  'cancelled',
  'attempts',
  'retries',
  'bytes_in',
  'bytes_out',
  'bytes_reused',
]

/**
 * Jobs and batches belong to projects; those that exist belong to the default one, as do those that replicas of the
 * previous version still create. Their tallies count for each project, and there are series of each other project.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (statement: string) => sql.raw(statement).execute(db)
  const postgres = isPostgres(db)
  // At once the lock that the first change needs: transactions that hold a weaker one could wait for each other.
  if (postgres) await run('lock table jobs, batches, job_tallies in access exclusive mode')
  for (const table of ['jobs', 'batches']) {
    await run(`alter table ${table} add column project text not null default 'default'`)
  }
  await run('drop index jobs_due')
  // Claims rotate between projects, and read the first jobs of each.
  await run(
    "create index jobs_due on jobs (project, priority desc, queued_at, id, run_at) where state = 'queued'",
  )
  await run('create index jobs_by_project on jobs (project, kind, state, id)')
  await run('create index batches_by_project on batches (project, id, state)')
  await tallyPerProject(db, postgres)
  await createProjectSeries(db)
}

/** SQLite cannot change a primary key, so that the table is created again there. */
async function tallyPerProject(db: Kysely<unknown>, postgres: boolean): Promise<void> {
  const run = (statement: string) => sql.raw(statement).execute(db)
  if (postgres) {
    await run("alter table job_tallies add column project text not null default 'default'")
    await run('alter table job_tallies drop constraint job_tallies_key')
    await run(
      'alter table job_tallies add constraint job_tallies_key primary key (project, kind, state, shard)',
    )
    // The triggers call it by its name.
    const shard = `pg_backend_pid() % ${SHARDS}`
    await run(`create or replace function tally_job() returns trigger language plpgsql as $$ begin
      if tg_op <> 'INSERT' then ${addTo('old', shard)} end if;
      if tg_op <> 'DELETE' then ${addTo('new', shard)} end if;
      return null;
    end $$`)
    return
  }
  for (const event of ['insert', 'update', 'delete']) await run(`drop trigger jobs_tally_${event}`)
  await run('alter table job_tallies rename to former_job_tallies')
  await run(`create table job_tallies (project text not null, kind text not null, state text not null, shard integer not null,
    jobs bigint not null, constraint job_tallies_key primary key (project, kind, state, shard))`)
  await run(`insert into job_tallies (project, kind, state, shard, jobs)
    select 'default', kind, state, shard, jobs from former_job_tallies`)
  await run('drop table former_job_tallies')
  const [subtractOld, addNew] = [addTo('old', '0'), addTo('new', '0')]
  await run(
    `create trigger jobs_tally_insert after insert on jobs when new.state in ${FINISHED} begin ${addNew} end`,
  )
  await run(
    `create trigger jobs_tally_update after update of state on jobs when ${CHANGED} begin ${subtractOld} ${addNew} end`,
  )
  await run(
    `create trigger jobs_tally_delete after delete on jobs when old.state in ${FINISHED} begin ${subtractOld} end`,
  )
}

/** One statement that updates a tally. A single shard may become negative; the sum of all shards does not. */
function addTo(row: 'old' | 'new', shard: string): string {
  return `insert into job_tallies (project, kind, state, shard, jobs)
    select ${row}.project, ${row}.kind, ${row}.state, ${shard}, ${row === 'new' ? 1 : -1} where ${row}.state in ${FINISHED}
    on conflict (project, kind, state, shard) do update set jobs = job_tallies.jobs + excluded.jobs;`
}

/**
 * The series of projects other than the default one, whose jobs count in `job_series` as well: that has the sums of
 * all projects, and keeps the key by which replicas of the previous version write it.
 */
async function createProjectSeries(db: Kysely<unknown>): Promise<void> {
  const run = (statement: string) => sql.raw(statement).execute(db)
  const interval = `project text not null, resolution text not null, kind text not null, start bigint not null,
    shard integer not null`
  const counts = COUNTS.map((name) => `${name} bigint not null default 0`).join(', ')
  await run(`create table project_series (${interval}, ${counts},
    constraint project_series_key primary key (resolution, kind, project, start, shard))`)
  await run(`create table project_series_times (${interval}, measure text not null, bucket integer not null,
    jobs bigint not null,
    constraint project_series_times_key primary key (resolution, kind, project, start, measure, bucket, shard))`)
  // Intervals are tidied one after the other, whatever their projects and kinds.
  for (const table of ['project_series', 'project_series_times']) {
    await run(`create index ${table}_start on ${table} (resolution, start)`)
  }
}
