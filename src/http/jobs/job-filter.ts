import { z } from 'zod'
import type { JobFilter } from '../../jobs/queue/list-jobs.ts'
import { LabelQuery, PageQuery, parseLabels } from '../parameters.ts'
import { JobStateView } from './view.ts'

/** The query parameters that listings of all kinds of jobs have in common. */
export const jobQuery = {
  state: z
    .union([JobStateView, z.array(JobStateView).max(5)])
    .optional()
    .describe('Only jobs in this state. Can be repeated.'),
  label: LabelQuery.optional(),
  createdFrom: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Only jobs created at this time or later.'),
  createdBefore: z.iso.datetime({ offset: true }).optional().describe('Only jobs created before this time.'),
  ...PageQuery,
  cursor: z.uuid().optional().describe('The value of `next` in the previous page.'),
}
const JobQuery = z.object(jobQuery)

export function jobFilter({ state, label, createdFrom, createdBefore }: z.infer<typeof JobQuery>): JobFilter {
  return {
    ...(state && { states: [state].flat() }),
    ...(label && { labels: parseLabels(label) }),
    ...(createdFrom !== undefined && { from: Date.parse(createdFrom) }),
    ...(createdBefore !== undefined && { to: Date.parse(createdBefore) }),
  }
}
