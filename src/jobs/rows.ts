import { type Selectable, sql } from 'kysely'
import type { JobAttemptsTable, JobsTable } from '../db/tables.ts'
import type { Attempt, Job, JobError, JobResult, JobState } from './job.ts'

/**
 * States as they stand in statements: partial indexes are defined by them. With a bound value SQLite would have to prepare
 * a statement again for each value, to know whether such an index serves.
 */
export const QUEUED = sql.lit('queued' as const)
export const RUNNING = sql.lit('running' as const)
export const UNFINISHED = [QUEUED, RUNNING]

/** What a listing needs: documents can be long, and stay where they are. */
export const SUMMARY = [
  'id',
  'kind',
  'state',
  'source',
  'target',
  'compared_with',
  'labels',
  'priority',
  'result_digest',
  'result_size',
  'result_source_size',
  'error',
  'attempt',
  'failures',
  'crashes',
  'throttles',
  'cancel_requested_at',
  'run_at',
  'suspect',
  'created_at',
  'started_at',
  'finished_at',
  'event_seq',
] as const

type Row = Pick<Selectable<JobsTable>, (typeof SUMMARY)[number]> &
  Partial<Pick<Selectable<JobsTable>, 'request' | 'progress' | 'report'>>

export function toJob(row: Row): Job {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    source: row.source,
    target: row.target,
    comparedWith: row.compared_with ?? undefined,
    request: parse(row.request),
    labels: parse(row.labels) as Record<string, string>,
    priority: row.priority,
    progress: parse(row.progress),
    report: parse(row.report),
    result: resultIn(row),
    error: parse(row.error) as JobError | undefined,
    attempt: row.attempt,
    failures: row.failures,
    crashes: row.crashes,
    throttles: row.throttles,
    cancelRequested: row.cancel_requested_at !== null,
    runAt: row.run_at,
    isSuspect: row.suspect === 1,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    events: row.event_seq,
  }
}

export function toAttempt(row: Selectable<JobAttemptsTable>): Attempt {
  return {
    attempt: row.attempt,
    owner: row.owner,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
    outcome: row.outcome ?? undefined,
    error: parse(row.error) as JobError | undefined,
  }
}

function resultIn({ result_digest, result_size, result_source_size }: Row): JobResult | undefined {
  if (result_digest === null || result_size === null || result_source_size === null) return undefined
  return { digest: result_digest, size: result_size, sourceSize: result_source_size }
}

/** The columns beside a report. That of a verification has nothing for them. */
export function resultOf(report: unknown) {
  const { digest, size, sourceSize } = (report ?? {}) as Record<keyof JobResult, unknown>
  return {
    result_digest: typeof digest === 'string' ? digest : null,
    result_size: typeof size === 'number' ? size : null,
    result_source_size: typeof sourceSize === 'number' ? sourceSize : null,
  }
}

function parse(text: string | null | undefined): unknown {
  return text === null || text === undefined ? undefined : JSON.parse(text)
}

/** Counts by state, with those of which there are none. */
export function toCounts(
  rows: readonly { readonly state: JobState; readonly count: number }[],
): Record<JobState, number> {
  const counts = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }
  for (const { state, count } of rows) counts[state] = Number(count)
  return counts
}
