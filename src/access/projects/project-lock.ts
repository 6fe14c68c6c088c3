import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { Tables } from '../../db/tables.ts'

/** An arbitrary key of an advisory lock, the same in all processes. */
const LOCK = 5_381_025

/**
 * Keeps other processes from creating and removing projects and tokens until the transaction ends, so that what it has
 * counted remains true. SQLite has one writer at a time anyway.
 */
export async function lockProjects(
  { engine }: Pick<Database, 'engine'>,
  transaction: Transaction<Tables>,
): Promise<void> {
  if (engine === 'postgres') await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(transaction)
}
