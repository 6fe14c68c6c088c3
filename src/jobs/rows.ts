import { type Selectable, sql } from 'kysely'
import type { JobAttemptsTable, JobsTable } from '../db/tables.ts'
import type { Attempt, Job, JobError, JobState } from './job.ts'

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
