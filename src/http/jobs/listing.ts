import { z } from 'zod'
import type { JobFilter } from '../../jobs/queue/listing.ts'
import { LabelList, labelsOf, Paging } from '../parameters.ts'
import { JobStateView } from './view.ts'

/** By what every kind of job is listed. */
export const jobQuery = {
  state: z
    .union([JobStateView, z.array(JobStateView).max(5)])
    .optional()
    .describe('Can be given more than once.'),
  label: LabelList.optional(),
  createdFrom: z.iso.datetime({ offset: true }).optional().describe('Created then or later.'),
  createdBefore: z.iso.datetime({ offset: true }).optional().describe('Created before.'),
  ...Paging,
  cursor: z.uuid().optional().describe('`next` of the page before.'),
}
const JobQuery = z.object(jobQuery)

export function jobFilter({ state, label, createdFrom, createdBefore }: z.infer<typeof JobQuery>): JobFilter {
  return {
    ...(state && { states: [state].flat() }),
    ...(label && { labels: labelsOf(label) }),
    ...(createdFrom !== undefined && { from: Date.parse(createdFrom) }),
    ...(createdBefore !== undefined && { to: Date.parse(createdBefore) }),
  }
}
