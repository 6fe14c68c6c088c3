import { sql, type Transaction } from 'kysely'
import type { Database } from '../database.ts'
import type { Tables } from '../tables.ts'

/**
 * Keeps transactions that take the same lock waiting until this one ends, so that what it has read remains true.
 * SQLite has one writer at a time anyway.
 * @param key an arbitrary number, the same in all processes
 * @param name divides the lock into one for each name
 */
export async function lockUntilCommit(
  { engine }: Pick<Database, 'engine'>,
  transaction: Transaction<Tables>,
  key: number,
  name?: string,
): Promise<void> {
  if (engine !== 'postgres') return
  const lock = name === undefined ? sql.lit(key) : sql`${sql.lit(key)}, hashtext(${name})`
  await sql`select pg_advisory_xact_lock(${lock})`.execute(transaction)
}
