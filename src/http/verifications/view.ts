import { z } from 'zod'
import { VerificationProgress, VerificationReport } from '../../conversion/report.ts'
import { VerificationRequest } from '../../conversion/request.ts'
import type { Attempt, Job } from '../../jobs/job.ts'
import { AttemptView, jobDetail, jobExample, jobFields, jobView } from '../jobs/view.ts'
import { Waiting } from '../jobs/waiting.ts'

const summary = {
  ...jobFields,
  reference: z.string(),
  source: z.string().optional().describe('The image to compare with.'),
  verified: z
    .boolean()
    .optional()
    .describe('Whether all checks succeeded. Only if the verification could be carried out.'),
}
const example = {
  ...jobExample,
  reference: 'registry.example/team/app:1.0-esgz',
}

export const VerificationSummary = z
  .object(summary)
  .meta({ id: 'VerificationSummary', description: 'A verification in a listing.', examples: [example] })

export const Verification = z
  .object({
    ...summary,
    request: VerificationRequest,
    progress: VerificationProgress.optional().describe('Only while the verification is running.'),
    waiting: Waiting.optional().describe(
      'Only while the verification is queued, and only if it is requested by its id.',
    ),
    report: VerificationReport.optional().describe(
      'Only if the verification could be carried out. `verified` is its result.',
    ),
    attempts: z.array(AttemptView),
  })
  .meta({
    id: 'Verification',
    description: 'A job that verifies an image.',
    examples: [{ ...example, request: { reference: example.reference }, attempts: [] }],
  })

export function verificationSummary(job: Job): z.infer<typeof VerificationSummary> {
  const { source: reference, comparedWith } = job
  return {
    ...jobView(job),
    reference,
    ...(comparedWith !== undefined && { source: comparedWith }),
    ...(job.isVerified !== undefined && { verified: job.isVerified }),
  }
}

export function verificationView(job: Job, attempts: readonly Attempt[]): z.infer<typeof Verification> {
  const { progress: _summary, ...summary } = verificationSummary(job)
  return {
    ...summary,
    ...jobDetail<VerificationRequest, VerificationProgress, VerificationReport>(job, attempts),
  }
}
