import { type RawBuilder, sql } from 'kysely'
import type { Database } from './database.ts'

/** The time `ms` milliseconds from now by the database's clock, rounded up, as an SQL expression. */
export function msFromNow({ now }: Pick<Database, 'now'>, ms: number): RawBuilder<number> {
  return sql<number>`${now} + ${sql.lit(Math.ceil(ms))}`
}

/** The time `ms` milliseconds ago by the database's clock, as an SQL expression. */
export function msAgo({ now }: Pick<Database, 'now'>, ms: number): RawBuilder<number> {
  return sql<number>`${now} - ${sql.lit(ms)}`
}
