import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../engine.ts'

/** Transactions on PostgreSQL that end jobs side by side add to rows of their own: so many of each kind and state. */
const SHARDS = 16
/** States whose jobs pile up; the others are few, and counted by an index. */
const OVER = "('succeeded', 'failed', 'cancelled')"
const CHANGED = `old.state <> new.state and (old.state in ${OVER} or new.state in ${OVER})`

/**
 * Tallies of the jobs that are over, by kind and state, which triggers keep within the transaction that changes a job: so
 * that they never differ from the jobs, whoever writes these.
 */
export async function addJobTallies(db: Kysely<unknown>): Promise<void> {
  const run = (statement: string) => sql.raw(statement).execute(db)
  const postgres = isPostgres(db)
  // Processes of the version before may be at work: none of their writes falls between the first tally and the triggers.
  if (postgres) await run('lock table jobs in share row exclusive mode')
  await db.schema
    .createTable('job_tallies')
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('shard', 'integer', (column) => column.notNull())
    .addColumn('jobs', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('job_tallies_key', ['kind', 'state', 'shard'])
    .execute()
  await run(
    `insert into job_tallies (kind, state, shard, jobs)
     select kind, state, 0, count(*) from jobs where state in ${OVER} group by kind, state`,
  )
  for (const statement of postgres ? postgresTriggers() : sqliteTriggers()) await run(statement)
}

/** One statement that adds to a tally; a shard may go below zero, the sum does not. */
function add(row: 'old' | 'new', shard: string): string {
  return `insert into job_tallies (kind, state, shard, jobs)
    select ${row}.kind, ${row}.state, ${shard}, ${row === 'new' ? 1 : -1} where ${row}.state in ${OVER}
    on conflict (kind, state, shard) do update set jobs = job_tallies.jobs + excluded.jobs;`
}

function sqliteTriggers(): string[] {
  const [gone, come] = [add('old', '0'), add('new', '0')]
  return [
    `create trigger jobs_tally_insert after insert on jobs when new.state in ${OVER} begin ${come} end`,
    `create trigger jobs_tally_update after update of state on jobs when ${CHANGED} begin ${gone} ${come} end`,
    `create trigger jobs_tally_delete after delete on jobs when old.state in ${OVER} begin ${gone} end`,
  ]
}

/** Deferred to the commit, so that the row of a tally is locked for as short as can be, and after all other rows. */
function postgresTriggers(): string[] {
  const shard = `pg_backend_pid() % ${SHARDS}`
  const each = 'deferrable initially deferred for each row'
  return [
    `create function tally_job() returns trigger language plpgsql as $$ begin
      if tg_op <> 'INSERT' then ${add('old', shard)} end if;
      if tg_op <> 'DELETE' then ${add('new', shard)} end if;
      return null;
    end $$`,
    `create constraint trigger jobs_tally_insert after insert on jobs ${each} when (new.state in ${OVER}) execute function tally_job()`,
    `create constraint trigger jobs_tally_update after update of state on jobs ${each} when (${CHANGED}) execute function tally_job()`,
    `create constraint trigger jobs_tally_delete after delete on jobs ${each} when (old.state in ${OVER}) execute function tally_job()`,
  ]
}
