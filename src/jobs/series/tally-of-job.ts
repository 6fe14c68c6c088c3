import { isFinished, type JobKind, type JobState } from '../job.ts'
import type { Tally } from './tally.ts'

/** The columns of a job after its end that are counted. Times are in milliseconds since 1970. */
export const TALLIED_COLUMNS = [
  'project',
  'kind',
  'state',
  'created_at',
  'queued_at',
  'started_at',
  'finished_at',
] as const
type TalliedJob = {
  readonly project: string
  readonly kind: JobKind
  readonly state: JobState
  readonly created_at: number
  readonly queued_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
}

/**
 * Returns what counts when a job reaches a final state; undefined for other states. A job that is retried by
 * request is counted again at its next end, with the times since that request.
 */
export function tallyOfEnd(job: TalliedJob): Omit<Tally, 'attempts' | 'retries' | 'bytes'> | undefined {
  const { project, kind, state, started_at, finished_at } = job
  if (!isFinished(state) || finished_at === null) return undefined
  // Jobs of earlier releases have no rank once they have finished.
  const queuedAt = job.queued_at === 0 ? job.created_at : job.queued_at
  return {
    project,
    kind,
    at: finished_at,
    state: state as Tally['state'],
    waitMs: started_at === null ? undefined : started_at - queuedAt,
    runMs: started_at === null || state !== 'succeeded' ? undefined : finished_at - started_at,
  }
}
