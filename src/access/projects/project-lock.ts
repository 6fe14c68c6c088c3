import type { Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import { lockUntilCommit } from '../../db/postgres/lock-until-commit.ts'
import type { Tables } from '../../db/tables.ts'

/** An arbitrary key of an advisory lock, the same in all processes. */
const LOCK = 5_381_025

/**
 * Keeps other processes from creating and removing projects and tokens until the transaction ends, so that what it has
 * counted remains true.
 */
export function lockProjects(
  database: Pick<Database, 'engine'>,
  transaction: Transaction<Tables>,
): Promise<void> {
  return lockUntilCommit(database, transaction, LOCK)
}
