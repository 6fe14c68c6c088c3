import { z } from 'zod'
import { type JobWait, MAX_POSITION } from '../../jobs/claims/wait-explainer.ts'
import { isoTime, Timestamp } from '../parameters.ts'

const REASONS = {
  'retry-pause': 'the pause after a failed attempt lasts `until` then',
  'registry-pause': '`registry` limits requests and is paused `until` then',
  'same-target': 'a job runs and has the same target; `jobId` is missing if it belongs to another project',
  'project-limit': 'the quota of the project allows `limit` running jobs, and `runningCount` run',
  'no-worker': 'no worker runs',
  'disk-full': 'the disks of all workers are full',
  'registry-limit': '`limit` jobs with `registry` may run at a time, and `runningCount` do',
  'idle-worker-needed':
    'a worker died while running the job, so that it needs a worker that runs nothing else',
  'workers-busy': 'all workers run as many jobs as they may',
  'suspect-first':
    'a job needs a worker that runs nothing else, and has waited for very long; `jobId` is missing if it belongs to another project',
  starting: 'nothing; a worker is about to start the job',
} as const satisfies Record<JobWait['reason'], string>
type Reason = keyof typeof REASONS

export const Waiting = z
  .object({
    position: z
      .int()
      .min(1)
      .max(MAX_POSITION)
      .describe(
        `The place among the queued jobs of its project, from 1. Jobs that may not start yet count, too. It is counted up to ${MAX_POSITION}.`,
      ),
    reason: z.enum(Object.keys(REASONS) as [Reason, ...Reason[]]).describe(
      `What the job waits for. ${Object.entries(REASONS)
        .map(([reason, text]) => `\`${reason}\`: ${text}.`)
        .join(' ')}`,
    ),
    until: Timestamp.optional(),
    registry: z.string().optional().describe('The host of a registry.'),
    limit: z.int().optional(),
    runningCount: z.int().optional(),
    jobId: z.string().optional(),
  })
  .meta({
    id: 'JobWaiting',
    description: 'The place of a queued job in the queue, and why it does not run yet.',
    examples: [
      { position: 3, reason: 'registry-limit', registry: 'registry.example', limit: 4, runningCount: 4 },
    ],
  })

export function waitingView(wait: JobWait): z.infer<typeof Waiting> {
  const { position, reason } = wait
  switch (reason) {
    case 'retry-pause':
      return { position, reason, until: isoTime(wait.until) }
    case 'registry-pause':
      return { position, reason, registry: wait.registry, until: isoTime(wait.until) }
    case 'registry-limit': {
      const { registry, limit, running } = wait
      return { position, reason, registry, limit, runningCount: running }
    }
    case 'project-limit':
      return { position, reason, limit: wait.limit, runningCount: wait.running }
    case 'same-target':
    case 'suspect-first':
      return { position, reason, ...(wait.jobId !== undefined && { jobId: wait.jobId }) }
    default:
      return { position, reason }
  }
}
