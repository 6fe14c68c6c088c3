import { type Selectable, sql } from 'kysely'
import type { JobAttemptsTable, JobsTable } from '../db/tables.ts'
import { currentError, currentOutcome } from './former-words.ts'
import type { Attempt, Job, JobError, JobResult, JobState } from './job.ts'

/**
 * States as literals, not as bound values, because partial indexes are defined by them: SQLite would have to
 * prepare a statement again for each bound value to know whether it can use such an index.
 */
export const QUEUED = sql.lit('queued' as const)
export const RUNNING = sql.lit('running' as const)
export const UNFINISHED = [QUEUED, RUNNING]

/** The columns that listings read. They exclude the JSON documents, which can be long. */
export const SUMMARY_COLUMNS = [
  'id',
  'project',
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
  'verified',
  'progress_summary',
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
  'request_id',
  'traceparent',
] as const

type JobRow = Pick<Selectable<JobsTable>, (typeof SUMMARY_COLUMNS)[number]> &
  Partial<Pick<Selectable<JobsTable>, 'request' | 'progress' | 'report'>>

export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    project: row.project,
    kind: row.kind,
    state: row.state,
    source: row.source,
    target: row.target,
    comparedWith: row.compared_with ?? undefined,
    request: parse(row.request),
    labels: parse(row.labels) as Record<string, string>,
    priority: row.priority,
    progress: parse(row.progress),
    progressSummary: parse(row.progress_summary),
    report: parse(row.report),
    result: toResult(row),
    isVerified: row.verified === null ? undefined : row.verified === 1,
    error: parseError(row.error),
    attempt: row.attempt,
    failures: row.failures,
    crashes: row.crashes,
    throttles: row.throttles,
    isCancelRequested: row.cancel_requested_at !== null,
    runAt: row.run_at,
    isSuspect: row.suspect === 1,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    eventCount: row.event_seq,
    requestId: row.request_id ?? undefined,
    traceparent: row.traceparent ?? undefined,
  }
}

export function toAttempt(row: Selectable<JobAttemptsTable>): Attempt {
  return {
    attempt: row.attempt,
    owner: row.owner,
    startedAt: row.started_at,
    finishedAt: row.ended_at ?? undefined,
    outcome: row.outcome === null ? undefined : currentOutcome(row.outcome),
    error: parseError(row.error),
  }
}

function toResult({ result_digest, result_size, result_source_size }: JobRow): JobResult | undefined {
  if (result_digest === null || result_size === null || result_source_size === null) return undefined
  return { digest: result_digest, size: result_size, sourceSize: result_source_size }
}

/** Returns the columns that repeat fields of the reports of conversions and of verifications. */
export function toResultColumns(report: unknown) {
  const { digest, size, sourceSize, verified } = (report ?? {}) as Record<
    keyof JobResult | 'verified',
    unknown
  >
  return {
    verified: typeof verified === 'boolean' ? Number(verified) : null,
    result_digest: typeof digest === 'string' ? digest : null,
    result_size: typeof size === 'number' ? size : null,
    result_source_size: typeof sourceSize === 'number' ? sourceSize : null,
  }
}

/** Parses a stored error of a job or of an attempt. */
export function parseError(text: string | null): JobError | undefined {
  return text === null ? undefined : currentError(JSON.parse(text) as JobError)
}

function parse(text: string | null | undefined): unknown {
  return text === null || text === undefined ? undefined : JSON.parse(text)
}

/** Converts rows to counts by state, with zero for missing states. */
export function toCounts(
  rows: readonly { readonly state: JobState; readonly count: number }[],
): Record<JobState, number> {
  const counts = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }
  for (const { state, count } of rows) counts[state] = Number(count)
  return counts
}
