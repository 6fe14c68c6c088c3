import { type Kysely, PostgresAdapter } from 'kysely'

/** Whether a query builder runs on PostgreSQL. For migrations, which receive nothing else. */
export function isPostgres(db: Kysely<unknown>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}
