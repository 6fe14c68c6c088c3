import { z } from 'zod'
import { JOB_STATES, type Job } from '../jobs/job.ts'
import { isoTime, Moment } from './parameters.ts'

export const JobErrorView = z
  .object({ code: z.string(), message: z.string() })
  .meta({ id: 'JobError', description: 'Why a job failed, or why its last attempt did.' })

export const JobStateView = z
  .enum(JOB_STATES)
  .meta({ id: 'JobState', description: 'queued and running jobs go on by themselves; the others are over.' })

/** What is shown of every job. */
export const jobFields = {
  id: z.string(),
  state: JobStateView,
  error: JobErrorView.optional(),
  attempt: z.int().describe('How often a worker began.'),
  createdAt: Moment,
  startedAt: Moment.optional(),
  finishedAt: Moment.optional(),
}

export function jobView({ id, state, error, attempt, createdAt, startedAt, finishedAt }: Job) {
  return {
    id,
    state,
    ...(error && { error }),
    attempt,
    createdAt: isoTime(createdAt),
    ...(startedAt !== undefined && { startedAt: isoTime(startedAt) }),
    ...(finishedAt !== undefined && { finishedAt: isoTime(finishedAt) }),
  }
}
