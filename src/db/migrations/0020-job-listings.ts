import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

/** What listings show and filter by: a summary of the progress, verdicts, repositories and end times. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(db)
  await db.schema.alterTable('jobs').addColumn('progress_summary', 'text').execute()
  await db.schema.alterTable('jobs').addColumn('verified', 'integer').execute()
  // Why a queued job waits depends on the limits and the disks of the workers.
  await db.schema.alterTable('workers').addColumn('registry_limits', 'text').execute()
  await db.schema
    .alterTable('workers')
    .addColumn('disk_full', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
  const verified = postgres
    ? sql`case report::json ->> 'verified' when 'true' then 1 when 'false' then 0 end`
    : sql`json_extract(report, '$.verified')`
  // PostgreSQL cannot parse JSON with escapes of NUL or of lone surrogates. The few verifications whose
  // reports contain any `\u` escape show no verdict in listings.
  const readable = postgres ? sql`strpos(report, '\\u') = 0` : sql`true`
  await sql`update jobs set verified = ${verified}
    where kind = 'verification' and state = 'succeeded' and report is not null and ${readable}`.execute(db)
  // With the state in the index, a search for a rare state reads nothing but the index.
  const indexes = [
    ...(['source', 'target'] as const).flatMap((column) => [
      `jobs_by_${column} on jobs (kind, ${column}, id, state)`,
      `jobs_by_${column}_repository on jobs (kind, ${repositoryOf(column, postgres)}, state, id)`,
    ]),
    'jobs_by_end on jobs (kind, finished_at, id, state) where finished_at is not null',
    'jobs_by_verdict on jobs (kind, verified, id) where verified is not null',
  ]
  for (const column of ['source', 'target']) await db.schema.dropIndex(`jobs_by_${column}`).execute()
  for (const index of indexes) await sql.raw(`create index ${index}`).execute(db)
}

/**
 * The registry and repository of a reference in a column, as an expression: everything before its tag or
 * digest. `jobs/lists/repository-expression.ts` has the same expressions for queries.
 */
function repositoryOf(column: 'source' | 'target', postgres: boolean): string {
  if (postgres) return `(regexp_replace(${column}, '[:@][^/]*$', ''))`
  const untilSlash = `rtrim(${column}, replace(${column}, '/', ''))`
  const name = `substr(${column}, length(${untilSlash}) + 1)`
  const withoutDigest = `substr(${name}, 1, instr(${name} || '@', '@') - 1)`
  return `(${untilSlash} || substr(${withoutDigest}, 1, instr(${withoutDigest} || ':', ':') - 1))`
}
