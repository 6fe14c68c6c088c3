import { sql, type Transaction, type UpdateObject } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { Tables } from '../../db/tables.ts'
import { type JobEventType, recordEvent } from '../events/record-event.ts'
import { notifyJobChanged } from '../events/topics.ts'
import type { AttemptOutcome, JobError } from '../job.ts'
import { RUNNING } from '../rows.ts'
import { addTallies } from '../series/tally.ts'
import { TALLIED_COLUMNS, tallyOfEnd } from '../series/tally-of-job.ts'
import type { TransferredBytes } from '../series/transferred-bytes.ts'

/** New values for columns of a job. */
export type JobUpdate = UpdateObject<Tables, 'jobs'>
/**
 * How an attempt ends. `error` is stored with the attempt and the event, `data` with the event alone. `bytes`
 * are those that the job transferred.
 */
export type AttemptEnd = {
  readonly update: JobUpdate
  readonly outcome: AttemptOutcome
  readonly event: JobEventType
  readonly error?: JobError | undefined
  readonly data?: object
  readonly bytes?: TransferredBytes
}

/**
 * Ends an attempt: changes the job and its attempt and records the event, atomically.
 * @param restrict adds conditions on the job to the update
 * @returns false if the attempt is not running or the conditions are not met
 */
export async function endAttempt(
  database: Database,
  { id, attempt }: { readonly id: string; readonly attempt: number },
  { update, outcome, event, error, data, bytes }: AttemptEnd,
  restrict: (statement: UpdateRunningJob) => UpdateRunningJob,
): Promise<boolean> {
  const changed = await database.transaction(async (transaction) => {
    const row = await restrict(updateRunningJob(transaction, id, attempt, update))
      .returning(['event_seq', 'target', ...TALLIED_COLUMNS, database.now.as('now')])
      .executeTakeFirst()
    if (!row) return false
    // A requested cancellation aborts the work, so it counts as the outcome, whatever error the abort caused.
    const wasCancelled = row.state === 'cancelled' && outcome !== 'crashed'
    await transaction
      .updateTable('job_attempts')
      .set({
        ended_at: database.now,
        outcome: wasCancelled ? 'cancelled' : outcome,
        error: error === undefined ? null : JSON.stringify(error),
      })
      .where('job_id', '=', id)
      .where('attempt', '=', attempt)
      .execute()
    await recordEvent(database, transaction, {
      id,
      seq: row.event_seq,
      type: row.state === 'cancelled' ? 'cancelled' : event,
      data: {
        attempt,
        ...(error && { error }),
        ...data,
        ...(row.state === 'succeeded' && row.target !== '' && { target: row.target }),
      },
    })
    const { project, kind, state, now } = row
    const end = tallyOfEnd(row) ?? { project, kind, at: now }
    const isRetried = state === 'queued' && event !== 'released'
    await addTallies(database, transaction, [{ ...end, attempts: 1, retries: isRetried ? 1 : 0, bytes }])
    return true
  })
  if (changed) notifyJobChanged(database, id)
  return changed
}

export type UpdateRunningJob = ReturnType<typeof updateRunningJob>

function updateRunningJob(transaction: Transaction<Tables>, id: string, attempt: number, update: JobUpdate) {
  return transaction
    .updateTable('jobs')
    .set({ ...update, event_seq: sql`event_seq + 1` })
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('state', '=', RUNNING)
}

/** The update of a job that does not run, or has just started. */
export const NO_PROGRESS = { progress: null, progress_summary: null } as const

/** Returns the update that finishes a running job. */
export function finishJob({ now }: Database, state: 'succeeded' | 'failed' | 'cancelled'): JobUpdate {
  return { state, finished_at: now, owner: null, token: null, lease_until: null, ...NO_PROGRESS }
}

/**
 * Returns the update that puts a running job back into the queue, or finishes it if its cancellation was
 * requested.
 */
export function requeueJob({ now }: Database, furtherUpdate: JobUpdate = {}): JobUpdate {
  return {
    state: sql`case when cancel_requested_at is null then 'queued' else 'cancelled' end`,
    finished_at: sql`case when cancel_requested_at is null then null else ${now} end`,
    owner: null,
    token: null,
    lease_until: null,
    ...NO_PROGRESS,
    ...furtherUpdate,
  }
}
