import { sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { msFromNow } from '../../db/sql-time.ts'
import { crashDelayMs, MAX_CRASHES, MAX_LEASES_LOST } from '../failure-policy.ts'
import type { JobError, JobKind } from '../job.ts'
import { RUNNING } from '../rows.ts'
import { ATTEMPT_START, ATTEMPT_TRACE, recordLostAttempt } from './attempt-traces.ts'
import { type AttemptEnd, endAttempt, finishJob, requeueJob, type UpdateRunningJob } from './end-attempt.ts'

/** Is told why a lease expired: its worker died, or lives and did not renew it in time. */
export type ExpiredLeaseListener = (kind: JobKind, cause: 'worker-died' | 'not-renewed') => void

/**
 * Requeues the jobs whose leases have expired. The job of a dead worker runs alone from now on. The death is
 * attributed to the job only if it was the worker's only one; at {@link MAX_CRASHES} of them the job fails.
 * @param aliveOwner a worker that is alive: its own leases expired because it could not renew them
 * @param onExpired called for each lease
 * @returns the number of expired leases
 */
export async function reapExpiredLeases(
  database: Database,
  aliveOwner: string | undefined,
  onExpired?: ExpiredLeaseListener,
): Promise<number> {
  const { now } = database
  const expired = await database.query
    .selectFrom('jobs')
    .select(['id', 'kind', 'token', 'owner', 'attempt', 'crashes', 'cancel_requested_at', 'traceparent'])
    .select([ATTEMPT_TRACE.as('attemptTrace'), ATTEMPT_START.as('startedAt')])
    .select(
      sql<number>`cast(exists (
        select 1 from job_attempts as other where other.owner = jobs.owner and other.job_id <> jobs.id
          and (other.ended_at is null or other.outcome = 'crashed')
      ) as integer)`.as('shared'),
    )
    // Leases that a stopping worker released have no error.
    .select(
      sql<number>`cast((
        select count(*) from job_attempts as earlier where earlier.job_id = jobs.id
          and earlier.outcome in ('released', 'handed-back') and earlier.error is not null
      ) as integer)`.as('lost'),
    )
    .where('state', '=', RUNNING)
    .where('lease_until', '<', now)
    .execute()
  for (const job of expired) {
    const { id, kind, token, owner, attempt, crashes, cancel_requested_at, shared, lost } = job
    const isCancelled = cancel_requested_at !== null
    const end =
      owner === aliveOwner
        ? endUnrenewed(database, lost + 1, isCancelled)
        : endCrashed(database, crashes + (shared === 1 ? 0 : 1), isCancelled)
    const isStillExpired = (statement: UpdateRunningJob) =>
      statement.where('token', '=', token).where('lease_until', '<', now)
    if (await endAttempt(database, { id, attempt }, end, isStillExpired)) {
      if (owner !== aliveOwner) recordLostAttempt(job)
      onExpired?.(kind, owner === aliveOwner ? 'not-renewed' : 'worker-died')
    }
  }
  return expired.length
}

/** The worker died. `crashes` is the number of deaths that are attributed to the job, this one included. */
function endCrashed(database: Database, crashes: number, isCancelled: boolean): AttemptEnd {
  const error: JobError = { code: 'WORKER_DIED', message: 'the worker died, or its lease expired' }
  const mark = { crashes, suspect: 1 }
  if (crashes < MAX_CRASHES || isCancelled) {
    const run_at = msFromNow(database, crashDelayMs(crashes, Math.random()))
    const update = { ...requeueJob(database, { run_at }), ...mark }
    return { update, outcome: 'crashed', event: 'crashed', error }
  }
  const message = `the worker died ${crashes} times while running this job; check its log for out-of-memory or disk errors`
  const update = {
    ...finishJob(database, 'failed'),
    ...mark,
    error: JSON.stringify({ code: 'WORKER_DIED', message }),
  }
  return { update, outcome: 'crashed', event: 'failed', error }
}

/**
 * The worker is alive but did not renew the lease. This costs the job nothing until the {@link
 * MAX_LEASES_LOST}th time.
 */
function endUnrenewed(database: Database, times: number, isCancelled: boolean): AttemptEnd {
  const message = 'the worker could not renew its lease in time'
  if (times < MAX_LEASES_LOST || isCancelled) {
    const error: JobError = { code: 'LEASE_LOST', message }
    return { update: requeueJob(database), outcome: 'released', event: 'released', error }
  }
  const error: JobError = {
    code: 'LEASE_LOST',
    message: `${message}, ${times} times so far; check the logs of the workers`,
  }
  const update = { ...finishJob(database, 'failed'), error: JSON.stringify(error) }
  return { update, outcome: 'failed', event: 'failed', error }
}
