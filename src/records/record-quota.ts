import { sql, type Transaction } from 'kysely'
import { countRows } from '../db/count-rows.ts'
import type { Database } from '../db/database.ts'
import type { Tables } from '../db/tables.ts'

/** An arbitrary key of advisory locks, the same in all processes. */
const QUOTA_LOCK = 5_381_003

/** Returns how many records a project may have; undefined if there is no limit. */
export type RecordQuota = (project: string) => Promise<number | undefined>

/** A project has as many records as its quota allows. */
export class RecordQuotaError extends Error {
  override readonly name = 'RecordQuotaError'
  readonly code = 'RECORD_QUOTA_EXCEEDED'
  constructor(project: string, { records, limit }: { readonly records: number; readonly limit: number }) {
    super(
      `the project ${project} has ${records} records, and its quota records is ${limit}; delete some, or ask an administrator for a higher quota`,
    )
  }
}

/** Counts the records of a project. Reads an index only. */
export function countRecordsOfProject(database: Database, project: string): Promise<number> {
  return countRows(database, database.query.selectFrom('records').select('id').where('project', '=', project))
}

/**
 * Checks the number of records of a project, within the transaction that has inserted one.
 * @throws RecordQuotaError RECORD_QUOTA_EXCEEDED
 */
export async function assertRecordQuota(
  transaction: Transaction<Tables>,
  engine: Database['engine'],
  { project, limit }: { readonly project: string; readonly limit: number },
): Promise<void> {
  // The lock keeps the count valid until the record is committed. SQLite has one writer at a time anyway.
  if (engine === 'postgres') {
    await sql`select pg_advisory_xact_lock(${sql.lit(QUOTA_LOCK)}, hashtext(${project}))`.execute(transaction)
  }
  const excess = await transaction
    .selectFrom('records')
    .select('id')
    .where('project', '=', project)
    .orderBy('id')
    .offset(limit)
    .limit(1)
    .executeTakeFirst()
  if (!excess) return
  const { records } = await transaction
    .selectFrom('records')
    .select((select) => select.fn.countAll<number>().as('records'))
    .where('project', '=', project)
    .executeTakeFirstOrThrow()
  throw new RecordQuotaError(project, { records: Number(records) - 1, limit })
}
