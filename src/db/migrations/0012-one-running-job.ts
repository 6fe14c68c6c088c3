import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

/**
 * At most one running job per kind and target, enforced by an index. Where several are running when the
 * migration starts, all but the first go back into the queue: their workers lose the lease and stop.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(db)
  if (postgres) await sql`lock table jobs in share row exclusive mode`.execute(db)
  const now = postgres
    ? sql`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
    : sql`cast(unixepoch('subsec') * 1000 as integer)`
  const transactionId = postgres
    ? sql`cast(cast(pg_current_xact_id() as text) as bigint)`
    : sql`(select coalesce(max(tx), 0) + 1 from job_events)`
  const { rows } = await sql<{ id: string }>`select id from jobs
    where state = 'running' and target <> '' and exists (select 1 from jobs as first
      where first.state = 'running' and first.kind = jobs.kind and first.target = jobs.target and first.id < jobs.id)`.execute(
    db,
  )
  for (const { id } of rows) {
    await sql`update job_attempts set ended_at = ${now}, outcome = 'handed-back'
      where job_id = ${id} and ended_at is null`.execute(db)
    await sql`update jobs set
      state = case when cancel_requested_at is null then 'queued' else 'cancelled' end,
      finished_at = case when cancel_requested_at is null then null else ${now} end,
      owner = null, token = null, lease_until = null, progress = null, event_seq = event_seq + 1
      where id = ${id}`.execute(db)
    await sql`insert into job_events (job_id, seq, tx, type, data, created_at)
      select id, event_seq, ${transactionId}, case when state = 'queued' then 'handed-back' else state end, '{}', ${now}
      from jobs where id = ${id}`.execute(db)
  }
  await sql`create unique index jobs_running_target on jobs (kind, target) where state = 'running' and target <> ''`.execute(
    db,
  )
}
