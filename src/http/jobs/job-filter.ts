import { z } from 'zod'
import { isOrderedByEnd, type JobFilter } from '../../jobs/lists/job-filter.ts'
import type { JobPosition } from '../../jobs/lists/list-jobs.ts'
import { parseReference, ReferenceText } from '../../oci/reference.ts'
import { LabelQuery, Labels, PageQuery, parseLabels, parseTimes, Time } from '../parameters.ts'
import { fieldError } from '../problem.ts'
import { JobStateView } from './view.ts'

const RepositoryName = ReferenceText.refine(
  (text) => /^[^@]*$/.test(text) && !/:[^/]*$/.test(text),
  'expected a repository without a tag and a digest, such as registry.example/team/app',
)

/** The filters that listings of all kinds of jobs and their bulk actions have in common. */
const commonFilter = {
  repository: RepositoryName.optional().describe('Only jobs whose source or target is in this repository.'),
  createdFrom: Time.optional().describe('Only jobs created at this time or later.'),
  createdBefore: Time.optional().describe('Only jobs created before this time.'),
  finishedFrom: Time.optional().describe('Only jobs that finished at this time or later.'),
  finishedBefore: Time.optional().describe('Only jobs that finished before this time.'),
}

/**
 * A place in a list of jobs: an id, after the time of the end in lists that are ordered by it. A `next` that
 * another request returned is valid only with the same filter.
 */
const Cursor = z
  .string()
  .regex(
    /^(\d{1,16}\.)?[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/,
    'expected the value of `next` in the previous page',
  )
  .describe('The value of `next` in the previous page.')

/** The query parameters that listings of all kinds of jobs have in common. */
export const jobQuery = {
  state: z
    .union([JobStateView, z.array(JobStateView).max(5)])
    .optional()
    .describe('Only jobs in this state. Can be repeated.'),
  label: LabelQuery.optional(),
  ...commonFilter,
  ...PageQuery,
  cursor: Cursor.optional(),
}
const JobQuery = z.object(jobQuery)

/** The fields of the body of a bulk action that all kinds of jobs have in common. `states` can be selected. */
export function bulkFilter<State extends 'queued' | 'running' | 'failed' | 'cancelled'>(
  states: readonly [State, State],
) {
  return {
    state: z
      .array(z.enum(states))
      .min(1)
      .max(states.length)
      .optional()
      .describe('Only jobs in one of these states. Default: both.'),
    labels: Labels.optional().describe('Only jobs with all of these labels.'),
    ...commonFilter,
    cursor: Cursor.optional().describe('The value of `next` in the previous response.'),
  }
}

type Filter = Partial<
  Pick<
    z.infer<typeof JobQuery>,
    'repository' | 'createdFrom' | 'createdBefore' | 'finishedFrom' | 'finishedBefore' | 'state'
  >
> & { readonly label?: string | string[] | undefined; readonly labels?: Record<string, string> | undefined }

export function jobFilter(filter: Filter): JobFilter {
  const { state, label, repository, createdFrom, createdBefore, finishedFrom, finishedBefore } = filter
  const labels = filter.labels ?? (label && parseLabels(label))
  return {
    ...(state && { states: [state].flat() }),
    ...(labels && Object.keys(labels).length > 0 && { labels }),
    ...(repository !== undefined && { repository: canonicalRepository(repository) }),
    ...parseTimes({ createdFrom, createdBefore, finishedFrom, finishedBefore }),
  }
}

function canonicalRepository(text: string): string {
  const { host, repository } = parseReference(text)
  return `${host}/${repository}`
}

/**
 * Parses a cursor.
 * @param path the path of the field, for the error
 * @throws HttpError INVALID_CURSOR if it is from a list in another order
 */
export function parseCursor(
  cursor: string | undefined,
  filter: JobFilter,
  path: string,
): { readonly after?: JobPosition } {
  if (cursor === undefined) return {}
  const [id = '', finishedAt] = cursor.split('.').toReversed()
  if ((finishedAt !== undefined) !== isOrderedByEnd(filter)) {
    const detail = 'belongs to another list; send it with the filters of the request that returned it'
    throw fieldError(400, 'INVALID_CURSOR', path, detail)
  }
  return { after: finishedAt === undefined ? { id } : { id, finishedAt: Number(finishedAt) } }
}

export function formatCursor({ id, finishedAt }: JobPosition): string {
  return finishedAt === undefined ? id : `${finishedAt}.${id}`
}
