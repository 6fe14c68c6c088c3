import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Job } from '../../jobs/job.ts'
import type { AcceptedJob, NewJob } from '../../jobs/queue/accept-job.ts'
import type { ProjectJobs } from '../../jobs/queue/project-jobs.ts'
import { Labels } from '../parameters.ts'

/** The fields of a request that all kinds of jobs have in common. */
export const jobOptions = {
  labels: Labels.optional().describe('Labels for finding the job.'),
  priority: z
    .int()
    .min(-100)
    .max(100)
    .optional()
    .describe(
      'Jobs with a higher priority run first. Default: 0. Among equal priorities, the oldest job runs first.',
    ),
  callbackUrl: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .max(2000)
    .refine((url) => !hasUserinfo(url), 'must not contain a user or a password')
    .optional()
    .describe(
      'A URL that is notified when the job has finished, signed according to Standard Webhooks. Its origin must be one that the broker allows.',
    ),
}
type JobOptions = {
  readonly labels?: z.infer<typeof jobOptions.labels>
  readonly priority?: z.infer<typeof jobOptions.priority>
  readonly callbackUrl?: z.infer<typeof jobOptions.callbackUrl>
}

function hasUserinfo(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.username !== '' || url.password !== '')
}

export function pickJobOptions({
  labels,
  priority,
  callbackUrl,
}: JobOptions): Pick<NewJob, 'labels' | 'priority' | 'callbackUrl'> {
  return { ...(labels && { labels }), ...(priority !== undefined && { priority }), callbackUrl }
}

/** Returns what a job stores about the request that creates it. */
export function originOf({
  idempotencyKey,
  id,
}: Pick<FastifyRequest, 'idempotencyKey' | 'id'>): Pick<NewJob, 'requestKey' | 'requestId'> {
  return { requestKey: idempotencyKey, requestId: id }
}

/**
 * Returns an accepted job in full: one that this request created earlier may have finished, with a report.
 */
export async function loadAcceptedJob(jobs: ProjectJobs, { job, outcome }: AcceptedJob): Promise<Job> {
  return outcome === 'repeated' ? ((await jobs.get(job.kind, job.id)) ?? job) : job
}
