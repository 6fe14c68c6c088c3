import { z } from 'zod'
import { ConversionProgress, ConversionReport } from '../../conversion/report.ts'
import { ConversionRequest } from '../../conversion/request.ts'
import type { Attempt, Job } from '../../jobs/job.ts'
import type { TagMoveState } from '../../jobs/queue/tag-moves.ts'
import { AttemptView, jobDetail, jobExample, jobFields, jobView } from '../jobs/view.ts'
import { isoTime, Moment } from '../parameters.ts'

const summary = {
  ...jobFields,
  source: z.string(),
  target: z.string(),
}
const example = {
  ...jobExample,
  source: 'registry.example/team/app:1.0',
  target: 'registry.example/team/app:1.0-esgz',
}

export const ConversionSummary = z
  .object(summary)
  .meta({ id: 'ConversionSummary', description: 'A conversion in a listing.', examples: [example] })

const TagMoveView = z
  .object({
    target: z.string(),
    digest: z.string(),
    state: z
      .enum(['intended', 'landed', 'not-landed'])
      .describe('intended: about to be moved, or not known yet what became of it.'),
    changedAt: Moment,
  })
  .meta({ id: 'TagMove', description: 'A tag that a conversion moves, and what became of that.' })

export const Conversion = z
  .object({
    ...summary,
    request: ConversionRequest,
    progress: ConversionProgress.optional().describe('While it runs.'),
    report: ConversionReport.optional().describe('When it succeeded.'),
    attempts: z.array(AttemptView),
    tags: z.array(TagMoveView).describe('Left out are tags that other conversions moved since.'),
  })
  .meta({
    id: 'Conversion',
    description: 'A job that converts an image.',
    examples: [
      { ...example, request: { source: example.source, target: example.target }, attempts: [], tags: [] },
    ],
  })

export function conversionSummary(job: Job): z.infer<typeof ConversionSummary> {
  const { source, target } = job
  return { ...jobView(job), source, target }
}

export function conversionView(
  job: Job,
  attempts: readonly Attempt[],
  tags: readonly TagMoveState[],
): z.infer<typeof Conversion> {
  return {
    ...conversionSummary(job),
    ...jobDetail<ConversionRequest, ConversionProgress, ConversionReport>(job, attempts),
    tags: tags.map(({ target, digest, phase, changedAt }) => ({
      target,
      digest,
      state: phase,
      changedAt: isoTime(changedAt),
    })),
  }
}
