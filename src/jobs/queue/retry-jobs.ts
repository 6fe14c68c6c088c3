import { sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { isFinished, type Job, type JobKind } from '../job.ts'
import { type JobContext, readJob } from './job-context.ts'
import { requeueFinished } from './requeue-job.ts'

/** Jobs that are retried concurrently. */
const RETRIED_AT_ONCE = 16

/** Why a caller may not retry a job. */
export type RetryRefusal = { readonly code: string; readonly message: string }
/** Returns why a job may not be retried; undefined if it may. */
export type RefuseRetry = (job: Job) => Promise<RetryRefusal | undefined>

export type RetryResult = {
  readonly outcome: 'queued' | 'conflict' | 'unfinished' | 'succeeded' | 'missing' | 'refused'
  readonly job?: Job
  readonly refusal?: RetryRefusal
}

type RetryContext = Pick<JobContext, 'database' | 'scope' | 'limit'> & { readonly refuse?: RefuseRetry }

/**
 * Requeues jobs that failed or were cancelled, with their failure counts reset. The oldest becomes the first.
 * @throws QueueFullError QUEUE_FULL; JobQuotaError JOB_QUOTA_EXCEEDED; the other jobs are requeued then
 */
export async function retryJobs(
  context: RetryContext,
  kind: JobKind,
  ids: readonly string[],
): Promise<RetryResult[]> {
  // One rank for all: among these, the older job is the first.
  const rank = ids.length > 1 ? await readClock(context.database) : undefined
  const results: RetryResult[] = []
  for (let at = 0; at < ids.length; at += RETRIED_AT_ONCE) {
    const some = ids.slice(at, at + RETRIED_AT_ONCE)
    const settled = await Promise.allSettled(
      some.map(async (id) => retryJob(context, await readJob(context, kind, id), rank)),
    )
    for (const one of settled) {
      if (one.status === 'rejected') throw one.reason
      results.push(one.value)
    }
  }
  return results
}

async function readClock({ now, query }: Database): Promise<number> {
  const { rows } = await sql<{ now: number }>`select ${now} as now`.execute(query)
  return rows[0]?.now ?? Date.now()
}

async function retryJob(
  { database, limit, refuse }: RetryContext,
  job: Job | undefined,
  rank: number | undefined,
): Promise<RetryResult> {
  if (!job) return { outcome: 'missing' }
  if (!isFinished(job.state)) return { outcome: 'unfinished', job }
  if (job.state === 'succeeded') return { outcome: 'succeeded', job }
  const forbidden = await refuse?.(job)
  if (forbidden) return { outcome: 'refused', job, refusal: forbidden }
  const { refusal, settle } = await limit.reserve(job.project, 1)
  let usedPlaces = 0
  try {
    if (refusal) throw refusal
    const { outcome, job: after } = await requeueFinished(database, job, rank)
    if (outcome === 'queued') usedPlaces = 1
    return { outcome: outcome === 'changed' ? 'unfinished' : outcome, job: after }
  } finally {
    settle(usedPlaces)
  }
}
