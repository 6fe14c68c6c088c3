import type { Transaction } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { Tables } from '../../db/tables.ts'

/** What happens to a job. */
export const JOB_EVENT_TYPES = [
  'queued',
  'started',
  'retrying',
  'throttled',
  'handed-back',
  'crashed',
  'cancel-requested',
  'succeeded',
  'failed',
  'cancelled',
] as const
export type JobEventType = (typeof JOB_EVENT_TYPES)[number]

/** The topic on which processes tell one another that a job changed. */
export function jobTopic(id: string): string {
  return `job:${id}`
}
/** The topic of jobs that wait for a worker. */
export const QUEUE_TOPIC = 'queue'
/** The topic of whatever happens to any job. */
export const EVENTS_TOPIC = 'events'

/** The topic of callbacks that are due. */
export const CALLBACKS_TOPIC = 'callbacks'

const ENDS: readonly JobEventType[] = ['succeeded', 'failed', 'cancelled']

/** Writes an event within the transaction that changes the job; `seq` is the job's `event_seq` after it. */
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
  // Who wants to be told of the end is told in any case, as this is the same transaction.
  if (ENDS.includes(event.type)) {
    await transaction
      .updateTable('callbacks')
      .set({ state: 'due', tries: 0, run_at: database.now })
      .where('job_id', '=', event.id)
      .where('state', '=', 'waiting')
      .execute()
  }
}

/** Tells whoever waits for this job, and whoever watches all of them. */
export function ringFor(database: Database, id: string): void {
  database.wakeups.ring(jobTopic(id))
  database.wakeups.ring(EVENTS_TOPIC)
  database.wakeups.ring(CALLBACKS_TOPIC)
}
