import { z } from 'zod'
import { VerificationProgress, VerificationReport } from '../conversion/report.ts'
import { VerificationRequest } from '../conversion/request.ts'
import type { Attempt, Job } from '../jobs/job.ts'
import { AttemptView, attemptView, jobFields, jobView } from './job-view.ts'
import { EXAMPLE_ID } from './record-view.ts'

const summary = {
  ...jobFields,
  reference: z.string(),
  source: z.string().optional().describe('The image that it is compared with.'),
  labels: z.record(z.string(), z.string()),
  priority: z.int(),
}
const example = {
  id: EXAMPLE_ID,
  state: 'queued' as const,
  attempt: 0,
  createdAt: '2026-01-02T03:04:05.678Z',
  reference: 'registry.example/team/app:1.0-esgz',
  labels: { pipeline: '4711' },
  priority: 0,
}

export const VerificationSummary = z
  .object(summary)
  .meta({ id: 'VerificationSummary', description: 'A verification in a listing.', examples: [example] })

export const Verification = z
  .object({
    ...summary,
    request: VerificationRequest,
    progress: VerificationProgress.optional().describe('While it runs.'),
    report: VerificationReport.optional().describe('When it could be done; `verified` says how it came out.'),
    attempts: z.array(AttemptView),
  })
  .meta({
    id: 'Verification',
    description: 'A job that verifies an image.',
    examples: [{ ...example, request: { reference: example.reference }, attempts: [] }],
  })

export function verificationSummary(job: Job): z.infer<typeof VerificationSummary> {
  const { source: reference, comparedWith, labels, priority } = job
  return {
    ...jobView(job),
    reference,
    ...(comparedWith !== undefined && { source: comparedWith }),
    labels: { ...labels },
    priority,
  }
}

/** What is stored was checked when it was written. */
export function verificationView(job: Job, attempts: readonly Attempt[]): z.infer<typeof Verification> {
  return {
    ...verificationSummary(job),
    request: job.request as VerificationRequest,
    ...(job.state === 'running' && job.progress !== undefined
      ? { progress: job.progress as VerificationProgress }
      : {}),
    ...(job.report !== undefined ? { report: job.report as VerificationReport } : {}),
    attempts: attempts.map(attemptView),
  }
}
