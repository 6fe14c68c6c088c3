import { sql, type Transaction, type UpdateObject } from 'kysely'
import type { Database } from '../../db/open.ts'
import type { Tables } from '../../db/tables.ts'
import { type JobEventType, recordEvent, ringFor } from '../events/events.ts'
import type { AttemptOutcome, JobError } from '../job.ts'
import { RUNNING } from '../rows.ts'

/** Columns of a job, and what they become. */
export type Values = UpdateObject<Tables, 'jobs'>
/** What becomes of job, attempt and event. */
export type Ending = {
  readonly values: Values
  readonly outcome: AttemptOutcome
  readonly event: JobEventType
  readonly error?: JobError | undefined
  readonly data?: object
}

/**
 * Ends an attempt: job, attempt and event change together, or not at all.
 * @param only narrows down what is changed
 * @returns false when it is not the attempt that runs
 */
export async function endAttempt(
  database: Database,
  { id, attempt }: { readonly id: string; readonly attempt: number },
  { values, outcome, event, error, data }: Ending,
  only: (update: UpdateRunning) => UpdateRunning,
): Promise<boolean> {
  const changed = await database.transaction(async (transaction) => {
    const row = await only(updateRunning(transaction, id, attempt, values))
      .returning(['event_seq', 'state'])
      .executeTakeFirst()
    if (!row) return false
    // Somebody asked to cancel it, which is why the attempt ended in whatever it ended.
    const asked = row.state === 'cancelled' && outcome !== 'crashed'
    await transaction
      .updateTable('job_attempts')
      .set({
        ended_at: database.now,
        outcome: asked ? 'cancelled' : outcome,
        error: error === undefined ? null : JSON.stringify(error),
      })
      .where('job_id', '=', id)
      .where('attempt', '=', attempt)
      .execute()
    const type = row.state === 'cancelled' ? 'cancelled' : event
    const said = { attempt, ...(error && { error }), ...data }
    await recordEvent(database, transaction, { id, seq: row.event_seq, type, data: said })
    return true
  })
  if (changed) ringFor(database, id)
  return changed
}

export type UpdateRunning = ReturnType<typeof updateRunning>

function updateRunning(transaction: Transaction<Tables>, id: string, attempt: number, values: Values) {
  return transaction
    .updateTable('jobs')
    .set({ ...values, event_seq: sql`event_seq + 1` })
    .where('id', '=', id)
    .where('attempt', '=', attempt)
    .where('state', '=', RUNNING)
}
