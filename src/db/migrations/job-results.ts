import { type Kysely, sql } from 'kysely'
import { isPostgres } from '../engine.ts'

/** What listings and callbacks tell of a report, beside it: they need not read it. */
export async function addJobResults(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('result_digest', 'text').execute()
  for (const name of ['result_size', 'result_source_size'] as const) {
    await db.schema.alterTable('jobs').addColumn(name, 'bigint').execute()
  }
  const field = (name: string) =>
    sql.raw(isPostgres(db) ? `(report::json ->> '${name}')` : `json_extract(report, '$.${name}')`)
  // PostgreSQL reads no JSON with characters that are none: of the few jobs whose reports name such paths, less is listed.
  const readable = isPostgres(db) ? sql`strpos(report, '\\u') = 0` : sql`true`
  await sql`update jobs set
      result_digest = ${field('digest')},
      result_size = cast(${field('size')} as bigint),
      result_source_size = cast(${field('sourceSize')} as bigint)
    where kind = 'conversion' and state = 'succeeded' and report is not null and ${readable}`.execute(db)
}
