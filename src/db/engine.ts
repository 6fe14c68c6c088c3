import { type Kysely, PostgresAdapter } from 'kysely'

/** Whether this is PostgreSQL, for migrations, which get nothing but the query builder. */
export function isPostgres(db: Kysely<unknown>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}
