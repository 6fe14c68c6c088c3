import type { Kysely } from 'kysely'

/**
 * What joins a job with logs and traces: the HTTP request that created it, the span of its creation, and the
 * spans of its attempts. A span is stored as the value of a `traceparent` header.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('request_id', 'text').execute()
  await db.schema.alterTable('jobs').addColumn('traceparent', 'text').execute()
  await db.schema.alterTable('job_attempts').addColumn('traceparent', 'text').execute()
}
