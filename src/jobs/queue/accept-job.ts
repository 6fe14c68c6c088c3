import { sql, type Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import { newId, timeOfId } from '../../db/new-id.ts'
import { projectKey } from '../../db/project-scope.ts'
import type { Tables } from '../../db/tables.ts'
import { recordEvent } from '../events/record-event.ts'
import type { Job, JobKind } from '../job.ts'
import { SUMMARY_COLUMNS, toJob, UNFINISHED } from '../rows.ts'
import { JobSpan } from './job-span.ts'
import { computeUniqueKey } from './unique-key.ts'

export type NewJob = {
  readonly kind: JobKind
  readonly source: string
  readonly target: string
  readonly comparedWith?: string
  /** The registries of source and target, for limits and pauses. */
  readonly sourceHost?: string
  readonly targetHost?: string
  readonly recordId?: string
  readonly request: unknown
  readonly labels?: Readonly<Record<string, string>>
  /** Jobs with a higher priority run first. Default: 0. */
  readonly priority?: number
  /** The idempotency key of the request: at most one job is created per key. */
  readonly requestKey?: string | undefined
  /** Jobs with different variants are never joined, even if they do the same work. */
  readonly variant?: string | undefined
  /** Receives a webhook when the job finishes. */
  readonly callbackUrl?: string | undefined
  /** The HTTP request that creates the job. */
  readonly requestId?: string | undefined
}

/**
 * `joined`: an unfinished job does the same work. `repeated`: an earlier request with the same idempotency
 * key created the job, which then lacks its request and report.
 */
export type AcceptedJob = { readonly job: Job; readonly outcome: 'created' | 'joined' | 'repeated' }

/** A job that is to be created in a project. */
type ProjectJob = NewJob & { readonly project: string }

/**
 * Accepts a job within a transaction. Joins an unfinished job of its project that does the same work.
 * @param isQueueFull whether no further job may be created
 * @returns undefined if the job would have to be created but the queue is full
 */
export async function acceptJob(
  database: Database,
  transaction: Transaction<Tables>,
  job: ProjectJob,
  isQueueFull: boolean,
): Promise<AcceptedJob | undefined> {
  const key = computeUniqueKey(job)
  for (;;) {
    const id = newId()
    const row = isQueueFull ? undefined : await insertJob(database, transaction, { id, key, job })
    if (row) return { job: toJob(row), outcome: 'created' }
    const existing = await findExistingJob(transaction, key, job)
    if (existing) return existing
    if (isQueueFull) return undefined
    // The job that prevented the insertion has just finished.
  }
}

/** Inserts a job. Returns undefined if its unique key or its request key exists. */
async function insertJob(
  database: Database,
  transaction: Transaction<Tables>,
  { id, key, job }: { readonly id: string; readonly key: string; readonly job: ProjectJob },
) {
  const span = new JobSpan(job.kind)
  const row = await transaction
    .insertInto('jobs')
    .values({
      id,
      project: job.project,
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
      request_key: job.requestKey === undefined ? null : projectKey(job.project, job.requestKey),
      run_at: database.now,
      queued_at: database.now,
      // The time in the id: listings sort by id and filter by creation time.
      created_at: timeOfId(id),
      event_seq: 1,
      request_id: job.requestId ?? null,
      traceparent: span.traceparent ?? null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst()
  if (!row) return undefined
  span.end(row)
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

/**
 * Returns the job that an earlier request with this key created, or an unfinished job that does the same
 * work.
 */
async function findExistingJob(
  transaction: Transaction<Tables>,
  key: string,
  job: ProjectJob,
): Promise<AcceptedJob | undefined> {
  const { project, requestKey, priority = 0 } = job
  if (requestKey !== undefined) {
    const repeated = await transaction
      .selectFrom('jobs')
      .select(SUMMARY_COLUMNS)
      .where('request_key', '=', projectKey(project, requestKey))
      .executeTakeFirst()
    if (repeated) return { job: toJob(repeated), outcome: 'repeated' }
  }
  // The highest priority that was requested applies to everyone who joined.
  const joined = await transaction
    .updateTable('jobs')
    .set({ priority: sql`case when priority < ${priority} then ${priority} else priority end` })
    .where('unique_key', '=', key)
    .where('state', 'in', UNFINISHED)
    .returningAll()
    .executeTakeFirst()
  return joined && { job: toJob(joined), outcome: 'joined' }
}
