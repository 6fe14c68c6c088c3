import { sql, type Transaction } from 'kysely'
import { countRows } from '../db/count-rows.ts'
import type { Database } from '../db/database.ts'
import type { Tables } from '../db/tables.ts'

/** An arbitrary key of advisory locks, the same in all processes. */
const QUOTA_LOCK = 5_381_003

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
 * Checks the number of records of a project, within the transaction that has inserted one. The quota is that which is
 * stored now: a process of its own reads uploads, and must not know an earlier one.
 * @throws RecordQuotaError RECORD_QUOTA_EXCEEDED
 */
export async function assertRecordQuota(
  transaction: Transaction<Tables>,
  engine: Database['engine'],
  project: string,
): Promise<void> {
  const limit = await readRecordQuota(transaction, project)
  if (limit === undefined) return
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

/** Reads the quota from the stored rules of a project, which were validated when they were written. */
async function readRecordQuota(
  transaction: Transaction<Tables>,
  project: string,
): Promise<number | undefined> {
  const row = await transaction
    .selectFrom('projects')
    .select('document')
    .where('name', '=', project)
    .executeTakeFirst()
  if (!row) return undefined
  const { quotas } = JSON.parse(row.document) as { readonly quotas?: { readonly records?: number } }
  return quotas?.records
}
