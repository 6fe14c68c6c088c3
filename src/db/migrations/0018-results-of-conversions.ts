import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../is-postgres.ts'

/** Columns for the fields of a report that listings and callbacks show. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('result_digest', 'text').execute()
  for (const name of ['result_size', 'result_source_size'] as const) {
    await db.schema.alterTable('jobs').addColumn(name, 'bigint').execute()
  }
  const field = (name: string) =>
    sql.raw(isPostgres(db) ? `(report::json ->> '${name}')` : `json_extract(report, '$.${name}')`)
  // PostgreSQL cannot parse JSON with escapes of NUL or of lone surrogates. The few jobs whose reports
  // contain any `\u` escape keep empty columns.
  const readable = isPostgres(db) ? sql`strpos(report, '\\u') = 0` : sql`true`
  await sql`update jobs set
      result_digest = ${field('digest')},
      result_size = cast(${field('size')} as bigint),
      result_source_size = cast(${field('sourceSize')} as bigint)
    where kind = 'conversion' and state = 'succeeded' and report is not null and ${readable}`.execute(db)
}
