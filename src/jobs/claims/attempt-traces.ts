import { sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { recordLostSpan } from '../../tracing/lost-span.ts'
import type { JobKind, Lease } from '../job.ts'

/**
 * Stores the span of an attempt, so that it is known if the worker dies. A job that was created outside of a
 * trace gets that of its first attempt.
 * @returns the span of the attempt before, if there is one
 */
export async function exchangeAttemptTrace(
  { query }: Database,
  { id, attempt, token }: Lease,
  traceparent: string,
): Promise<string | undefined> {
  const previous = await query
    .selectFrom('job_attempts')
    .select('traceparent')
    .where('job_id', '=', id)
    .where('attempt', '=', attempt - 1)
    .executeTakeFirst()
  await query
    .updateTable('job_attempts')
    .set({ traceparent })
    .where('job_id', '=', id)
    .where('attempt', '=', attempt)
    .execute()
  await query
    .updateTable('jobs')
    .set({ traceparent })
    .where('id', '=', id)
    .where('token', '=', token)
    .where('traceparent', 'is', null)
    .execute()
  return previous?.traceparent ?? undefined
}

/** Selects the span and the start of the attempt that a row of `jobs` runs, for {@link recordLostAttempt}. */
export const ATTEMPT_TRACE = sql<string | null>`(
  select own.traceparent from job_attempts as own where own.job_id = jobs.id and own.attempt = jobs.attempt
)`
export const ATTEMPT_START = sql<number>`(
  select own.started_at from job_attempts as own where own.job_id = jobs.id and own.attempt = jobs.attempt
)`

/** Records the span of an attempt whose worker died before it could. */
export function recordLostAttempt(attempt: {
  readonly id: string
  readonly kind: JobKind
  readonly attempt: number
  readonly traceparent: string | null
  readonly attemptTrace: string | null
  readonly startedAt: number
}): void {
  const { traceparent, attemptTrace, id, kind, startedAt } = attempt
  // An attempt that is the root of its trace has no parent: its job was created outside of a trace.
  if (traceparent === null || attemptTrace === null || traceparent === attemptTrace) return
  recordLostSpan({
    name: attemptSpanName(kind),
    traceparent: attemptTrace,
    parent: traceparent,
    startedAt,
    endedAt: Date.now(),
    attributes: attemptAttributes(id, attempt.attempt),
    error: { code: 'WORKER_DIED', message: 'the worker died, or its lease expired' },
  })
}

export function attemptSpanName(kind: JobKind): string {
  return `${kind} attempt`
}

export function attemptAttributes(job: string, attempt: number) {
  return { 'record_broker.job.id': job, 'record_broker.job.attempt': attempt }
}
