import { type RawBuilder, sql } from 'kysely'
import type { Database } from './open.ts'

/** The moment in so many milliseconds, by the database's clock. */
export function inMs({ now }: Pick<Database, 'now'>, ms: number): RawBuilder<number> {
  return sql<number>`${now} + ${sql.lit(Math.ceil(ms))}`
}

/** The moment so many milliseconds ago, by the database's clock. */
export function msAgo({ now }: Pick<Database, 'now'>, ms: number): RawBuilder<number> {
  return sql<number>`${now} - ${sql.lit(ms)}`
}
