import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { isUniqueViolation } from '../../db/errors.ts'
import { recordEvent } from '../events/record-event.ts'
import { notifyJobChanged, QUEUE_TOPIC } from '../events/topics.ts'
import type { Job } from '../job.ts'
import { toJob, UNFINISHED } from '../rows.ts'
import { computeUniqueKey } from './unique-key.ts'

/** `conflict`: `job` is another job that does the same work and is unfinished. `changed`: the job is not finished any more. */
export type Requeued = { readonly outcome: 'queued' | 'conflict' | 'changed'; readonly job: Job }

/**
 * Returns a failed or cancelled job to the queue, with its counts of failures and its times reset.
 * @param job includes its request
 * @param rank the time of its rank in the queue, by the database's clock; default: now
 */
export async function requeueFinished(database: Database, job: Job, rank?: number): Promise<Requeued> {
  for (;;) {
    try {
      const result = await tryRequeue(database, job, rank ?? database.now)
      if (result.outcome === 'queued') {
        notifyJobChanged(database, job.id)
        database.notifier.notify(QUEUE_TOPIC)
      }
      return result
    } catch (error) {
      // Another job for the same work was created concurrently. The next attempt finds it.
      if (!isUniqueViolation(error)) throw error
    }
  }
}

function tryRequeue(database: Database, job: Job, rank: number | RawBuilder<number>): Promise<Requeued> {
  const { id } = job
  const key = computeUniqueKey(job)
  return database.transaction(async (transaction) => {
    const conflicting = await transaction
      .selectFrom('jobs')
      .selectAll()
      .where('unique_key', '=', key)
      .where('state', 'in', UNFINISHED)
      .executeTakeFirst()
    if (conflicting) return { outcome: 'conflict', job: toJob(conflicting) }
    const row = await transaction
      .updateTable('jobs')
      .set({
        state: 'queued',
        unique_key: key,
        failures: 0,
        crashes: 0,
        throttles: 0,
        run_at: database.now,
        queued_at: rank,
        suspect: 0,
        started_at: null,
        finished_at: null,
        cancel_requested_at: null,
        event_seq: sql`event_seq + 1`,
      })
      .where('id', '=', id)
      .where('state', 'in', ['failed', 'cancelled'])
      .returningAll()
      .executeTakeFirst()
    if (!row) return { outcome: 'changed', job }
    // The callbacks report the next end of the job, too.
    await transaction.updateTable('callbacks').set({ state: 'waiting' }).where('job_id', '=', id).execute()
    const event = { id, seq: row.event_seq, type: 'queued', data: { retry: true } } as const
    await recordEvent(database, transaction, event)
    return { outcome: 'queued', job: toJob(row) }
  })
}
