import { z } from 'zod'
import { type Attempt, JOB_STATES, type Job } from '../../jobs/job.ts'
import { isoTime, Moment } from '../parameters.ts'
import { EXAMPLE_ID } from '../records/view.ts'

export const JobErrorView = z
  .object({ code: z.string(), message: z.string() })
  .meta({ id: 'JobError', description: 'Why a job failed, or why its last attempt did.' })

export const JobStateView = z
  .enum(JOB_STATES)
  .meta({ id: 'JobState', description: 'queued and running jobs go on by themselves; the others are over.' })

export const JobCounts = z
  .object(Object.fromEntries(JOB_STATES.map((state) => [state, z.int()])) as Record<Job['state'], z.ZodInt>)
  .meta({
    id: 'JobCounts',
    description: 'How many jobs are in each state.',
    examples: [{ queued: 3, running: 1, succeeded: 120, failed: 2, cancelled: 0 }],
  })

/** What is shown of every job. */
export const jobFields = {
  id: z.string(),
  state: JobStateView,
  error: JobErrorView.optional(),
  attempt: z.int().describe('How often a worker began.'),
  cancelRequested: z.literal(true).optional().describe('It was asked to stop, and does so soon.'),
  nextAttemptAt: Moment.optional().describe('When a job that waits after a failure is due.'),
  createdAt: Moment,
  startedAt: Moment.optional(),
  finishedAt: Moment.optional(),
  labels: z.record(z.string(), z.string()),
  priority: z.int(),
}

/** What examples of jobs have in common. */
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
    ...(job.cancelRequested && state === 'running' ? { cancelRequested: true as const } : {}),
    ...(state === 'queued' && attempt > 0 ? { nextAttemptAt: isoTime(job.runAt) } : {}),
    createdAt: isoTime(createdAt),
    ...(startedAt !== undefined && { startedAt: isoTime(startedAt) }),
    ...(finishedAt !== undefined && { finishedAt: isoTime(finishedAt) }),
    labels: { ...labels },
    priority,
  }
}

/** What one job alone shows besides, as its kind has it: what is stored was checked when it was written. */
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
    startedAt: Moment,
    endedAt: Moment.optional(),
    outcome: z
      .enum(['succeeded', 'failed', 'throttled', 'handed-back', 'crashed', 'cancelled'])
      .optional()
      .describe(
        'throttled: a registry asked for fewer requests; handed-back: its worker had to stop, or could not renew its lease; crashed: its worker died.',
      ),
    error: JobErrorView.optional(),
  })
  .meta({ id: 'Attempt', description: 'A worker that began a job, and what came of it.' })

export function attemptView({ attempt, owner, startedAt, endedAt, outcome, error }: Attempt) {
  return {
    attempt,
    worker: owner,
    startedAt: isoTime(startedAt),
    ...(endedAt !== undefined && { endedAt: isoTime(endedAt) }),
    ...(outcome && { outcome }),
    ...(error && { error }),
  }
}
