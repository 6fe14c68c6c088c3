import type { Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { Tables } from '../../db/tables.ts'

export const JOB_EVENT_TYPES = [
  'queued',
  'started',
  'retrying',
  'throttled',
  'released',
  'crashed',
  'cancel-requested',
  'succeeded',
  'failed',
  'cancelled',
] as const
export type JobEventType = (typeof JOB_EVENT_TYPES)[number]

const FINAL_EVENTS: readonly JobEventType[] = ['succeeded', 'failed', 'cancelled']

export type NewJobEvent = {
  readonly id: string
  /** The job's `event_seq` after the change. */
  readonly seq: number
  readonly type: JobEventType
  readonly data?: object
}

/** Writes an event within the transaction that changes the job, see {@link recordEvents}. */
export function recordEvent(
  database: Database,
  transaction: Transaction<Tables>,
  event: NewJobEvent,
): Promise<void> {
  return recordEvents(database, transaction, [event])
}

/**
 * Writes events within the transaction that changes their jobs. A final event also makes the job's callbacks
 * due.
 */
export async function recordEvents(
  database: Database,
  transaction: Transaction<Tables>,
  events: readonly NewJobEvent[],
): Promise<void> {
  await transaction
    .insertInto('job_events')
    .values(
      events.map(({ id, seq, type, data = {} }) => ({
        job_id: id,
        seq,
        tx: database.transactionId,
        type,
        data: JSON.stringify(data),
        created_at: database.now,
      })),
    )
    .execute()
  // In the same transaction, so that no finished job is left without its callbacks.
  const ended = events.filter(({ type }) => FINAL_EVENTS.includes(type))
  if (ended.length > 0) {
    await transaction
      .updateTable('callbacks')
      .set({ state: 'due', tries: 0, run_at: database.now })
      .where(
        'job_id',
        'in',
        ended.map(({ id }) => id),
      )
      .where('state', '=', 'waiting')
      .execute()
  }
}
