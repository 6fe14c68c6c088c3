import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { ProjectScope } from '../../db/project-scope.ts'
import type { Tables } from '../../db/tables.ts'
import { recordEvents } from '../events/record-event.ts'
import { notifyJobChanged } from '../events/topics.ts'
import type { JobKind } from '../job.ts'
import { UNFINISHED } from '../rows.ts'
import { addTallies } from '../series/tally.ts'
import { TALLIED_COLUMNS, tallyOfEnd } from '../series/tally-of-job.ts'

/** Jobs that are cancelled in one transaction, so that their locks are short. */
const CANCELLED_AT_ONCE = 100

/**
 * Cancels the queued ones of some jobs of a scope at once, and requests the cancellation of the running ones, which
 * their workers stop within a second or two. Finished jobs, and those whose cancellation was requested
 * before, do not change.
 * @returns the ids of the jobs that changed, in the given order
 * @throws the signal's reason; some of the jobs may be cancelled then
 */
export async function cancelJobs(
  database: Database,
  scope: ProjectScope,
  kind: JobKind,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<string[]> {
  const changed: string[] = []
  for (let at = 0; at < ids.length; at += CANCELLED_AT_ONCE) {
    signal?.throwIfAborted()
    changed.push(...(await cancelSome(database, scope, kind, ids.slice(at, at + CANCELLED_AT_ONCE))))
  }
  return changed
}

async function cancelSome(
  database: Database,
  scope: ProjectScope,
  kind: JobKind,
  ids: readonly string[],
): Promise<string[]> {
  const changed = await database.transaction(async (transaction) => {
    if (database.engine === 'postgres') await lockInOrder(transaction, scope, ids)
    const rows = await cancelRows(database, transaction, { scope, kind, ids })
    if (rows.length === 0) return []
    await recordEvents(
      database,
      transaction,
      rows.map(({ id, state, event_seq }) => ({
        id,
        seq: event_seq,
        type: state === 'cancelled' ? ('cancelled' as const) : ('cancel-requested' as const),
      })),
    )
    await addTallies(
      database,
      transaction,
      rows.flatMap((row) => tallyOfEnd(row) ?? []),
    )
    if (database.engine === 'postgres') await lockBatchesInOrder(transaction, ids)
    return rows.map(({ id }) => id)
  })
  for (const id of changed) notifyJobChanged(database, id)
  const isChanged = new Set(changed)
  return ids.filter((id) => isChanged.has(id))
}

/** So that two requests that cancel the same jobs do not wait for each other. */
async function lockInOrder(
  transaction: Transaction<Tables>,
  scope: ProjectScope,
  ids: readonly string[],
): Promise<void> {
  await transaction
    .selectFrom('jobs')
    .select('id')
    .where('id', 'in', ids)
    .where(scope.condition())
    .orderBy('id')
    .forUpdate()
    .execute()
}

/**
 * The commit counts the jobs in their batches one by one. Two transactions with jobs of the same batches would
 * otherwise each hold a batch that the other one waits for.
 */
async function lockBatchesInOrder(transaction: Transaction<Tables>, ids: readonly string[]): Promise<void> {
  const affected = transaction.selectFrom('batch_jobs').select('batch_id').where('job_id', 'in', ids)
  await transaction
    .selectFrom('batches')
    .select('id')
    .where('id', 'in', affected)
    .orderBy('id')
    .forUpdate()
    .execute()
}

function cancelRows(
  { now }: Database,
  transaction: Transaction<Tables>,
  {
    scope,
    kind,
    ids,
  }: { readonly scope: ProjectScope; readonly kind: JobKind; readonly ids: readonly string[] },
) {
  return transaction
    .updateTable('jobs')
    .set({
      state: sql`case when state = 'queued' then 'cancelled' else state end`,
      finished_at: sql`case when state = 'queued' then ${now} else finished_at end`,
      cancel_requested_at: now,
      // Later requests for the same work must not join this job.
      unique_key: null,
      event_seq: sql`event_seq + 1`,
    })
    .where('kind', '=', kind)
    .where('id', 'in', ids)
    .where(scope.condition())
    .where('state', 'in', UNFINISHED)
    .where('cancel_requested_at', 'is', null)
    .returning(['id', 'event_seq', ...TALLIED_COLUMNS])
    .execute()
}
