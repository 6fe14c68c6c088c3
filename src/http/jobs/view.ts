import { z } from 'zod'
import { ProgressSummary } from '../../conversion/report.ts'
import { withCurrentNames } from '../../conversion/report-names.ts'
import { type Attempt, JOB_STATES, type Job } from '../../jobs/job.ts'
import { isoTime, Timestamp } from '../parameters.ts'
import { EXAMPLE_ID } from '../records/view.ts'

export const JobErrorView = z
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
  project: z.string().describe('The project that the job belongs to.'),
  state: JobStateView,
  error: JobErrorView.optional(),
  attemptCount: z.int().describe('The number of times that a worker has started the job.'),
  cancelRequested: z.literal(true).optional().describe('Cancellation was requested; the job stops soon.'),
  nextAttemptAt: Timestamp.optional().describe('When a queued job is retried after a failed attempt.'),
  createdAt: Timestamp,
  startedAt: Timestamp.optional().describe(
    'When a worker first started the job. A retry by request clears it.',
  ),
  finishedAt: Timestamp.optional(),
  progress: ProgressSummary.optional().describe('Only while the job is running.'),
  labels: z.record(z.string(), z.string()),
  priority: z.int(),
  requestId: z
    .string()
    .optional()
    .describe('The `X-Request-Id` of the request that created the job; log lines about the job contain it.'),
}

/** The common fields in examples. */
export const jobExample = {
  id: EXAMPLE_ID,
  project: 'default',
  state: 'queued' as const,
  attemptCount: 0,
  createdAt: '2026-01-02T03:04:05.678Z',
  labels: { pipeline: '4711' },
  priority: 0,
}

export function jobView(job: Job) {
  const { id, project, state, error, attempt, createdAt, startedAt, finishedAt, labels, priority } = job
  return {
    id,
    project,
    state,
    ...(error && { error }),
    attemptCount: attempt,
    ...(job.isCancelRequested && state === 'running' ? { cancelRequested: true as const } : {}),
    ...(state === 'queued' && attempt > 0 ? { nextAttemptAt: isoTime(job.runAt) } : {}),
    createdAt: isoTime(createdAt),
    ...(startedAt !== undefined && { startedAt: isoTime(startedAt) }),
    ...(finishedAt !== undefined && { finishedAt: isoTime(finishedAt) }),
    ...(state === 'running' && job.progressSummary !== undefined
      ? { progress: job.progressSummary as ProgressSummary }
      : {}),
    labels: { ...labels },
    priority,
    ...(job.requestId !== undefined && { requestId: job.requestId }),
  }
}

/**
 * The additional fields of a single job. Stored documents were validated when they were written: no need to
 * parse them again.
 */
export function jobDetail<Request, Progress, Report>(job: Job, attempts: readonly Attempt[]) {
  return {
    request: job.request as Request,
    ...(job.state === 'running' && job.progress !== undefined
      ? { progress: withCurrentNames(job.progress) as Progress }
      : {}),
    ...(job.report !== undefined ? { report: withCurrentNames(job.report) as Report } : {}),
    attempts: attempts.map(attemptView),
  }
}

export const AttemptView = z
  .object({
    attempt: z.int(),
    worker: z.string(),
    startedAt: Timestamp,
    finishedAt: Timestamp.optional(),
    outcome: z
      .enum(['succeeded', 'failed', 'throttled', 'released', 'crashed', 'cancelled'])
      .optional()
      .describe(
        '`throttled`: a registry limited the request rate. `released`: the worker had to stop or could not renew its lease. `crashed`: the worker died.',
      ),
    error: JobErrorView.optional(),
  })
  .meta({ id: 'JobAttempt', description: 'An attempt of a worker to run a job, and its outcome.' })

function attemptView({ attempt, owner, startedAt, finishedAt, outcome, error }: Attempt) {
  return {
    attempt,
    worker: owner,
    startedAt: isoTime(startedAt),
    ...(finishedAt !== undefined && { finishedAt: isoTime(finishedAt) }),
    ...(outcome && { outcome }),
    ...(error && { error }),
  }
}
