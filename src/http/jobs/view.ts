import { z } from 'zod'
import { type Attempt, JOB_STATES, type Job } from '../../jobs/job.ts'
import { isoTime, Timestamp } from '../parameters.ts'
import { EXAMPLE_ID } from '../records/view.ts'

const JobErrorView = z
  .object({ code: z.string(), message: z.string() })
  .meta({ id: 'JobError', description: 'Why a job failed, or why its latest attempt failed.' })

export const JobStateView = z.enum(JOB_STATES).meta({
  id: 'JobState',
  description: 'The state of a job. `queued` and `running` jobs are unfinished; all other states are final.',
})

export const JobCounts = z
  .object(Object.fromEntries(JOB_STATES.map((state) => [state, z.int()])) as Record<Job['state'], z.ZodInt>)
  .meta({
    id: 'JobCounts',
    description: 'The number of jobs in each state.',
    examples: [{ queued: 3, running: 1, succeeded: 120, failed: 2, cancelled: 0 }],
  })

/** The fields that all kinds of jobs have in common. */
export const jobFields = {
  id: z.string(),
  state: JobStateView,
  error: JobErrorView.optional(),
  attempt: z.int().describe('The number of times that a worker has started the job.'),
  cancelRequested: z.literal(true).optional().describe('Cancellation was requested; the job stops soon.'),
  nextAttemptAt: Timestamp.optional().describe('When a queued job is retried after a failed attempt.'),
  createdAt: Timestamp,
  startedAt: Timestamp.optional(),
  finishedAt: Timestamp.optional(),
  labels: z.record(z.string(), z.string()),
  priority: z.int(),
}

/** The common fields in examples. */
export const jobExample = {
  id: EXAMPLE_ID,
  state: 'queued' as const,
  attempt: 0,
  createdAt: '2026-01-02T03:04:05.678Z',
  labels: { pipeline: '4711' },
  priority: 0,
}

export function jobView(job: Job) {
  const { id, state, error, attempt, createdAt, startedAt, finishedAt, labels, priority } = job
  return {
    id,
    state,
    ...(error && { error }),
    attempt,
    ...(job.isCancelRequested && state === 'running' ? { cancelRequested: true as const } : {}),
    ...(state === 'queued' && attempt > 0 ? { nextAttemptAt: isoTime(job.runAt) } : {}),
    createdAt: isoTime(createdAt),
    ...(startedAt !== undefined && { startedAt: isoTime(startedAt) }),
    ...(finishedAt !== undefined && { finishedAt: isoTime(finishedAt) }),
    labels: { ...labels },
    priority,
  }
}

/**
 * The additional fields of a single job. Stored documents were validated when they were written: no need to
 * parse them again.
 */
export function jobDetail<Request, Progress, Report>(job: Job, attempts: readonly Attempt[]) {
  return {
    request: job.request as Request,
    ...(job.state === 'running' && job.progress !== undefined ? { progress: job.progress as Progress } : {}),
    ...(job.report !== undefined ? { report: job.report as Report } : {}),
    attempts: attempts.map(attemptView),
  }
}

export const AttemptView = z
  .object({
    attempt: z.int(),
    worker: z.string(),
    startedAt: Timestamp,
    endedAt: Timestamp.optional(),
    outcome: z
      .enum(['succeeded', 'failed', 'throttled', 'handed-back', 'crashed', 'cancelled'])
      .optional()
      .describe(
        '`throttled`: a registry limited the request rate. `handed-back`: the worker had to stop or could not renew its lease. `crashed`: the worker died.',
      ),
    error: JobErrorView.optional(),
  })
  .meta({ id: 'Attempt', description: 'An attempt of a worker to run a job, and its outcome.' })

function attemptView({ attempt, owner, startedAt, endedAt, outcome, error }: Attempt) {
  return {
    attempt,
    worker: owner,
    startedAt: isoTime(startedAt),
    ...(endedAt !== undefined && { endedAt: isoTime(endedAt) }),
    ...(outcome && { outcome }),
    ...(error && { error }),
  }
}
