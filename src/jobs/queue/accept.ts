import { sql, type Transaction } from 'kysely'
import { momentOf, newId } from '../../db/new-id.ts'
import type { Database } from '../../db/open.ts'
import type { Tables } from '../../db/tables.ts'
import { recordEvent } from '../events/events.ts'
import type { Job, JobKind } from '../job.ts'
import { SUMMARY, toJob, UNFINISHED } from '../rows.ts'
import { uniqueKey } from './unique-key.ts'

export type NewJob = {
  readonly kind: JobKind
  readonly source: string
  readonly target: string
  readonly comparedWith?: string
  /** Names of the registries at both ends, for limits. */
  readonly sourceHost?: string
  readonly targetHost?: string
  readonly recordId?: string
  readonly request: unknown
  readonly labels?: Readonly<Record<string, string>>
  /** Higher ones go first; 0 is usual. */
  readonly priority?: number
  /** Of the request that makes it: the same key makes no second job. */
  readonly requestKey?: string | undefined
  /** Jobs that differ in it are not joined, though they would do the same. */
  readonly variant?: string | undefined
  /** Told when the job is over. */
  readonly callbackUrl?: string | undefined
}

/**
 * `joined`: a job that does the same was there, unfinished. `repeated`: this request made it before; what was asked and what
 * came of it is not read.
 */
export type Accepted = { readonly job: Job; readonly outcome: 'created' | 'joined' | 'repeated' }

/**
 * Accepts a job within a transaction. One that would do the same and is not finished is joined.
 * @param full whether nothing new may be made
 * @returns undefined when it would have to be made and may not
 */
export async function acceptJob(
  database: Database,
  transaction: Transaction<Tables>,
  job: NewJob,
  full: boolean,
): Promise<Accepted | undefined> {
  const key = uniqueKey(job)
  for (;;) {
    const id = newId()
    const row = full ? undefined : await insert(database, transaction, id, key, job)
    if (row) return { job: toJob(row), outcome: 'created' }
    const there = await jobThere(transaction, key, job)
    if (there) return there
    if (full) return undefined
    // The one that was in the way ended just now.
  }
}

async function insert(
  database: Database,
  transaction: Transaction<Tables>,
  id: string,
  key: string,
  job: NewJob,
) {
  const row = await transaction
    .insertInto('jobs')
    .values({
      id,
      kind: job.kind,
      state: 'queued',
      source: job.source,
      target: job.target,
      compared_with: job.comparedWith ?? null,
      source_host: job.sourceHost ?? '',
      target_host: job.targetHost ?? '',
      record_id: job.recordId ?? null,
      request: JSON.stringify(job.request),
      labels: JSON.stringify(job.labels ?? {}),
      priority: job.priority ?? 0,
      unique_key: key,
      request_key: job.requestKey ?? null,
      run_at: database.now,
      queued_at: database.now,
      // The moment that is in the id: what lists by the one can be filtered by the other.
      created_at: momentOf(id),
      event_seq: 1,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst()
  if (!row) return undefined
  const labels = Object.entries(job.labels ?? {})
  if (labels.length > 0) {
    await transaction
      .insertInto('job_labels')
      .values(labels.map(([name, value]) => ({ job_id: id, name, value })))
      .execute()
  }
  await recordEvent(database, transaction, { id, seq: 1, type: 'queued' })
  return row
}

/** The job that this request made before, or an unfinished one that does the same. */
async function jobThere(
  transaction: Transaction<Tables>,
  key: string,
  job: NewJob,
): Promise<Accepted | undefined> {
  const { requestKey, priority = 0 } = job
  if (requestKey !== undefined) {
    const made = await transaction
      .selectFrom('jobs')
      .select(SUMMARY)
      .where('request_key', '=', requestKey)
      .executeTakeFirst()
    if (made) return { job: toJob(made), outcome: 'repeated' }
  }
  // Whoever is in more of a hurry speeds it up for all.
  const same = await transaction
    .updateTable('jobs')
    .set({ priority: sql`case when priority < ${priority} then ${priority} else priority end` })
    .where('unique_key', '=', key)
    .where('state', 'in', UNFINISHED)
    .returningAll()
    .executeTakeFirst()
  return same && { job: toJob(same), outcome: 'joined' }
}
