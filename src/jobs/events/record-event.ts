import type { Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { Tables } from '../../db/tables.ts'

export type JobEventType =
  | 'queued'
  | 'started'
  | 'retrying'
  | 'throttled'
  | 'handed-back'
  | 'crashed'
  | 'cancel-requested'
  | 'succeeded'
  | 'failed'
  | 'cancelled'

const FINAL_EVENTS: readonly JobEventType[] = ['succeeded', 'failed', 'cancelled']

/**
 * Writes an event within the transaction that changes the job. A final event also makes the job's callbacks
 * due.
 * @param event.seq the job's `event_seq` after the change
 */
export async function recordEvent(
  database: Database,
  transaction: Transaction<Tables>,
  event: { readonly id: string; readonly seq: number; readonly type: JobEventType; readonly data?: object },
): Promise<void> {
  await transaction
    .insertInto('job_events')
    .values({
      job_id: event.id,
      seq: event.seq,
      tx: database.transactionId,
      type: event.type,
      data: JSON.stringify(event.data ?? {}),
      created_at: database.now,
    })
    .execute()
  // In the same transaction, so that no finished job is left without its callbacks.
  if (FINAL_EVENTS.includes(event.type)) {
    await transaction
      .updateTable('callbacks')
      .set({ state: 'due', tries: 0, run_at: database.now })
      .where('job_id', '=', event.id)
      .where('state', '=', 'waiting')
      .execute()
  }
}
