import { z } from 'zod'
import type { Job } from '../../jobs/job.ts'
import type { Accepted, NewJob } from '../../jobs/queue/accept.ts'
import type { JobStore } from '../../jobs/queue/store.ts'
import { Labels } from '../parameters.ts'
import { fieldError } from '../problem.ts'
import type { Services } from '../services.ts'

/** What can be said of every job when it is asked for. */
export const jobTerms = {
  labels: Labels.optional().describe('To find it by.'),
  priority: z
    .int()
    .min(-100)
    .max(100)
    .optional()
    .describe('Higher ones go first; 0 is usual. Within one, those that wait longer.'),
  callbackUrl: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .refine((url) => !hasUserinfo(url), 'may hold no user and no password')
    .optional()
    .describe('Told when it is over, signed as Standard Webhooks say; at an origin that this broker allows.'),
}
type JobTerms = {
  readonly labels?: z.infer<typeof jobTerms.labels>
  readonly priority?: z.infer<typeof jobTerms.priority>
  readonly callbackUrl?: z.infer<typeof jobTerms.callbackUrl>
}

function hasUserinfo(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && (url.username !== '' || url.password !== '')
}

/** The part of a job that its terms are. */
export function termsOf({
  labels,
  priority,
  callbackUrl,
}: JobTerms): Pick<NewJob, 'labels' | 'priority' | 'callbackUrl'> {
  return { ...(labels && { labels }), ...(priority !== undefined && { priority }), callbackUrl }
}

/** A job that was accepted, with everything: one that was made before may be over, and have a report. */
export async function acceptedJob(jobs: JobStore, { job, outcome }: Accepted): Promise<Job> {
  return outcome === 'repeated' ? ((await jobs.get(job.kind, job.id)) ?? job) : job
}

/** @param at how the path of a wrong field begins */
export function assertCallbackAllowed(
  url: string | undefined,
  { allowsCallback }: Services,
  at = 'body',
): void {
  if (url === undefined || allowsCallback(new URL(url))) return
  const why = 'callbacks may not be sent there; RECORD_BROKER_CALLBACK_ORIGINS says where they may'
  throw fieldError(403, 'CALLBACK_NOT_ALLOWED', `${at}.callbackUrl`, why)
}
