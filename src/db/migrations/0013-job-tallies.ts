import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

/** Rows per kind and state. Concurrent PostgreSQL transactions that finish jobs update different rows. */
const SHARDS = 16
/** The states in which jobs accumulate. Jobs in other states are few and are counted by an index. */
const FINISHED = "('succeeded', 'failed', 'cancelled')"
const CHANGED = `old.state <> new.state and (old.state in ${FINISHED} or new.state in ${FINISHED})`

/**
 * Tallies of finished jobs by kind and state. Triggers update them within the transaction that changes a job,
 * so that they match the jobs whichever version or tool writes them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (statement: string) => sql.raw(statement).execute(db)
  const postgres = isPostgres(db)
  // Processes of the previous version may be running. The lock keeps their writes out between the first tally
  // and the triggers.
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
     select kind, state, 0, count(*) from jobs where state in ${FINISHED} group by kind, state`,
  )
  for (const statement of postgres ? postgresTriggers() : sqliteTriggers()) await run(statement)
}

/** One statement that updates a tally. A single shard may become negative; the sum of all shards does not. */
function addTo(row: 'old' | 'new', shard: string): string {
  return `insert into job_tallies (kind, state, shard, jobs)
    select ${row}.kind, ${row}.state, ${shard}, ${row === 'new' ? 1 : -1} where ${row}.state in ${FINISHED}
    on conflict (kind, state, shard) do update set jobs = job_tallies.jobs + excluded.jobs;`
}

function sqliteTriggers(): string[] {
  const [subtractOld, addNew] = [addTo('old', '0'), addTo('new', '0')]
  return [
    `create trigger jobs_tally_insert after insert on jobs when new.state in ${FINISHED} begin ${addNew} end`,
    `create trigger jobs_tally_update after update of state on jobs when ${CHANGED} begin ${subtractOld} ${addNew} end`,
    `create trigger jobs_tally_delete after delete on jobs when old.state in ${FINISHED} begin ${subtractOld} end`,
  ]
}

/** Deferred to the commit, so that the row of a tally is locked last and as briefly as possible. */
function postgresTriggers(): string[] {
  const shard = `pg_backend_pid() % ${SHARDS}`
  const timing = 'deferrable initially deferred for each row'
  return [
    `create function tally_job() returns trigger language plpgsql as $$ begin
      if tg_op <> 'INSERT' then ${addTo('old', shard)} end if;
      if tg_op <> 'DELETE' then ${addTo('new', shard)} end if;
      return null;
    end $$`,
    `create constraint trigger jobs_tally_insert after insert on jobs ${timing} when (new.state in ${FINISHED}) execute function tally_job()`,
    `create constraint trigger jobs_tally_update after update of state on jobs ${timing} when (${CHANGED}) execute function tally_job()`,
    `create constraint trigger jobs_tally_delete after delete on jobs ${timing} when (old.state in ${FINISHED}) execute function tally_job()`,
  ]
}
