import { z } from 'zod'
import { ConversionProgress, ConversionReport } from '../../conversion/report.ts'
import { ConversionRequest } from '../../conversion/request.ts'
import type { TrackedTagMove } from '../../jobs/claims/tag-moves.ts'
import type { Attempt, Job } from '../../jobs/job.ts'
import { AttemptView, jobDetail, jobExample, jobFields, jobView } from '../jobs/view.ts'
import { Waiting } from '../jobs/waiting.ts'
import { isoTime, Timestamp } from '../parameters.ts'

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
      .enum(['pending', 'moved', 'not-moved'])
      .describe(
        '`pending`: the tag is about to move, or the result of the move is not known yet. `moved`: the tag moved. `not-moved`: it did not.',
      ),
    updatedAt: Timestamp,
  })
  .meta({ id: 'TagMove', description: 'A tag that a conversion moves, and the state of that move.' })

const TAG_MOVE_STATES = { intended: 'pending', landed: 'moved', 'not-landed': 'not-moved' } as const

export const Conversion = z
  .object({
    ...summary,
    request: ConversionRequest,
    progress: ConversionProgress.optional().describe('Only while the conversion is running.'),
    waiting: Waiting.optional().describe(
      'Only while the conversion is queued, and only if it is requested by its id.',
    ),
    report: ConversionReport.optional().describe('Only if the conversion succeeded.'),
    attempts: z.array(AttemptView),
    tags: z
      .array(TagMoveView)
      .describe(
        'The tags that the conversion moves. Tags that another conversion has moved since are omitted.',
      ),
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
  tags: readonly TrackedTagMove[],
): z.infer<typeof Conversion> {
  const { progress: _summary, ...summary } = conversionSummary(job)
  return {
    ...summary,
    ...jobDetail<ConversionRequest, ConversionProgress, ConversionReport>(job, attempts),
    tags: tags.map(({ target, digest, phase, changedAt }) => ({
      target,
      digest,
      state: TAG_MOVE_STATES[phase],
      updatedAt: isoTime(changedAt),
    })),
  }
}
