import type { Job, JobKind } from '../job.ts'
import type { JobFilter } from '../lists/job-filter.ts'
import type { JobPageRequest } from '../lists/job-lists.ts'
import type { JobPosition } from '../lists/list-jobs.ts'
import { cancelJobs } from './cancel-jobs.ts'
import { withAllNames } from './image-names.ts'
import type { JobContext } from './job-context.ts'
import { type RefuseRetry, type RetryRefusal, retryJobs } from './retry-jobs.ts'

/** `ids` are the jobs that changed, or that would change. Further jobs may match: see `next`. */
export type BulkResult = {
  readonly ids: readonly string[]
  /** Jobs that were not retried: an equivalent job, `other`, is unfinished. */
  readonly conflicts: readonly { readonly id: string; readonly other: Job }[]
  /** Jobs that were not retried: the caller may not. */
  readonly refused: readonly ({ readonly id: string } & RetryRefusal)[]
  readonly next?: JobPosition
}
export type BulkRequest = { readonly page: JobPageRequest; readonly isDryRun: boolean }
export type BulkRetryRequest = BulkRequest & { readonly refuse: RefuseRetry }

/** Cancels the unfinished jobs of one page of a listing. @throws the signal's reason */
export async function cancelMatching(
  { database, lists, names, scope }: JobContext,
  kind: JobKind,
  filter: JobFilter,
  { page, isDryRun }: BulkRequest,
  signal: AbortSignal,
): Promise<BulkResult> {
  const { states = ['queued', 'running'] } = filter
  const matching = withAllNames({ ...filter, states, isCancelRequested: false }, names)
  const { ids, ...rest } = await lists.listIds(scope, kind, matching, page)
  if (isDryRun) return { ids, conflicts: [], refused: [], ...rest }
  const changed = await cancelJobs(database, scope, kind, ids, signal)
  return { ids: changed, conflicts: [], refused: [], ...rest }
}

/** Retries the failed and cancelled jobs of one page of a listing, as many as the queue has places for. */
export async function retryMatching(
  context: JobContext,
  kind: JobKind,
  filter: JobFilter,
  { page, isDryRun, refuse }: BulkRetryRequest,
): Promise<BulkResult> {
  const { lists, limit, names, scope } = context
  const { states = ['failed', 'cancelled'] } = filter
  const free = isDryRun ? page.limit : await limit.freePlaces(scope.seesAll ? undefined : scope.project)
  const { ids, ...rest } = await lists.listIds(scope, kind, withAllNames({ ...filter, states }, names), {
    ...page,
    limit: Math.max(1, Math.min(page.limit, free)),
  })
  if (isDryRun) return { ids, conflicts: [], refused: [], ...rest }
  const results = await retryJobs({ ...context, refuse }, kind, ids)
  const changed: string[] = []
  const conflicts: { id: string; other: Job }[] = []
  const refused: ({ id: string } & RetryRefusal)[] = []
  for (const [i, id] of ids.entries()) {
    const { outcome, job, refusal } = results[i] ?? {}
    if (outcome === 'queued') changed.push(id)
    else if (outcome === 'conflict' && job) conflicts.push({ id, other: job })
    else if (refusal) refused.push({ id, ...refusal })
  }
  return { ids: changed, conflicts, refused, ...rest }
}
