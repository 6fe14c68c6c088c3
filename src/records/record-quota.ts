import type { Transaction } from 'kysely'
import { countRows } from '../db/count-rows.ts'
import type { Database } from '../db/database.ts'
import { lockUntilCommit } from '../db/postgres/lock-until-commit.ts'
import { readQuotas } from '../db/project-quotas.ts'
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
  database: Pick<Database, 'engine'>,
  transaction: Transaction<Tables>,
  project: string,
): Promise<void> {
  const { records: limit } = await readQuotas({ query: transaction }, project)
  if (limit === undefined) return
  // The lock keeps the count valid until the record is committed.
  await lockUntilCommit(database, transaction, QUOTA_LOCK, project)
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
