import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { isUniqueViolation } from '../../db/errors.ts'
import { msFromNow } from '../../db/sql-time.ts'
import { recordEvent } from '../events/record-event.ts'
import { notifyJobChanged } from '../events/topics.ts'
import type { Job, Lease } from '../job.ts'
import { QUEUED, toJob } from '../rows.ts'
import { isDue, isNoticedByBusyWorkers, isTargetFree, isUnpaused } from './claim-conditions.ts'
import { NO_PROGRESS } from './end-attempt.ts'
import { findHostsAtLimit, type RegistryLimits } from './registry-limits.ts'

export type Claim = { readonly job: Job; readonly lease: Lease }
export type ClaimOptions = {
  readonly owner: string
  readonly leaseMs: number
  readonly limits: RegistryLimits | undefined
  /**
   * Whether the worker runs no other job. Only then may it claim a suspect, which may have killed a worker.
   */
  readonly isIdle: boolean
}

/**
 * Claims the due job with the highest priority and, among these, the first rank. Returns undefined if there
 * is none.
 */
export async function claimJob(database: Database, options: ClaimOptions): Promise<Claim | undefined> {
  for (;;) {
    try {
      return await tryClaim(database, options)
    } catch (error) {
      // Another worker has just started a job with the same target, in a transaction that was not visible yet
      // (PostgreSQL).
      if (!isUniqueViolation(error)) throw error
    }
  }
}

async function tryClaim(
  database: Database,
  { owner, leaseMs, limits, isIdle }: ClaimOptions,
): Promise<Claim | undefined> {
  const { now } = database
  const token = randomUUID()
  const claimed = await database.transaction(async (transaction) => {
    const fullHosts = limits ? await findHostsAtLimit(database, transaction, limits) : []
    let due = transaction
      .selectFrom('jobs')
      .select('jobs.id')
      .where('jobs.state', '=', QUEUED)
      .where((jobs) => isDue(jobs, database))
      .where((jobs) => isUnpaused(jobs, database))
      .where((jobs) => isTargetFree(jobs))
      .orderBy('priority', 'desc')
      .orderBy('queued_at')
      .orderBy('jobs.id')
      .limit(1)
    if (!isIdle) due = due.where((jobs) => isNoticedByBusyWorkers(jobs, database))
    if (fullHosts.length > 0) {
      due = due.where('source_host', 'not in', fullHosts).where('target_host', 'not in', fullHosts)
    }
    // SQLite has one writer at a time. PostgreSQL has to lock the row and to skip those that other workers
    // are claiming.
    const selected = database.engine === 'postgres' ? due.forUpdate('jobs').skipLocked() : due
    const row = await transaction
      .updateTable('jobs')
      .set({
        state: 'running',
        owner,
        token,
        attempt: sql`attempt + 1`,
        event_seq: sql`event_seq + 1`,
        lease_until: msFromNow(database, leaseMs),
        started_at: sql`coalesce(started_at, ${now})`,
        ...NO_PROGRESS,
      })
      .where('id', '=', selected)
      .$if(!isIdle, (update) => update.where('suspect', '=', sql.lit(0)))
      .returningAll()
      .executeTakeFirst()
    if (!row) return undefined
    const { id, attempt } = row
    await transaction
      .insertInto('job_attempts')
      .values({ job_id: id, attempt, owner, started_at: now })
      .execute()
    const event = { id, seq: row.event_seq, type: 'started', data: { attempt, owner } } as const
    await recordEvent(database, transaction, event)
    return row
  })
  if (!claimed) return undefined
  notifyJobChanged(database, claimed.id)
  return { job: toJob(claimed), lease: { id: claimed.id, owner, attempt: claimed.attempt, token } }
}
