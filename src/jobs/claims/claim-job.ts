import { randomUUID } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import { computedText } from '../../db/computed-value.ts'
import type { Database } from '../../db/database.ts'
import { isUniqueViolation } from '../../db/errors.ts'
import { lockUntilCommit } from '../../db/postgres/lock-until-commit.ts'
import { msFromNow } from '../../db/sql-time.ts'
import type { Tables } from '../../db/tables.ts'
import { recordEvent } from '../events/record-event.ts'
import { notifyJobChanged } from '../events/topics.ts'
import type { ProjectTurns } from '../fairness/project-turns.ts'
import type { ClaimableJobs } from '../fairness/survey-projects.ts'
import type { Job, Lease } from '../job.ts'
import { QUEUED, toJob } from '../rows.ts'
import {
  isBelowQuota,
  isDue,
  isNoticedByBusyWorkers,
  isOnlyProject,
  isTargetFree,
  isUnpaused,
} from './claim-conditions.ts'
import { NO_PROGRESS } from './end-attempt.ts'
import { findHostsAtLimit, type RegistryLimits } from './registry-limits.ts'

export type Claim = { readonly job: Job; readonly lease: Lease }
export type ClaimOptions = {
  readonly owner: string
  readonly leaseMs: number
  readonly limits: RegistryLimits | undefined
  readonly turns: ProjectTurns
  /**
   * Whether the worker runs no other job. Only then may it claim a suspect, which may have killed a worker.
   */
  readonly isIdle: boolean
}

/** An arbitrary key of an advisory lock, the same in all processes. */
const QUOTA_LOCK = 5_381_003
/** Projects that are tried if other workers claim their jobs at the same time. */
const MAX_TRIES = 8

/** A project, and the number of its jobs that may run at a time. */
type Turn = { readonly project: string; readonly quota?: number | undefined }

/**
 * Claims a job: of the project whose turn it is, the due job with the highest priority and, among these, the first
 * rank. Returns undefined if there is none.
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

async function tryClaim(database: Database, options: ClaimOptions): Promise<Claim | undefined> {
  const { owner, limits, turns, isIdle } = options
  const token = randomUUID()
  const tried: string[] = []
  const claiming = database.transaction(async (transaction) => {
    const fullHosts = limits ? await findHostsAtLimit(database, transaction, limits) : []
    const claimable = selectClaimable(database, transaction, { fullHosts, isIdle })
    const start = (jobs: ClaimableJobs) => startJob(database, transaction, jobs, { ...options, token })
    if (turns.only !== undefined) {
      // One statement less, as long as this is the only project with queued jobs.
      const row = await start(claimable.where(isOnlyProject(turns.only)))
      if (row) return row
    }
    while (tried.length < MAX_TRIES) {
      const turn = await turns.choose(transaction, claimable, tried)
      if (!turn) return undefined
      tried.push(turn.project)
      // The worker finishes its jobs, so that it can run the suspect.
      if (turn.isSuspect && !isIdle) return undefined
      const row = await start(await selectOfProject(database, transaction, claimable, turn))
      if (row) {
        turns.pass(turn.project)
        return row
      }
    }
    return undefined
  })
  const claimed = await claiming.finally(() => {
    for (const project of tried) turns.release(project)
  })
  if (!claimed) return undefined
  notifyJobChanged(database, claimed.id)
  return { job: toJob(claimed), lease: { id: claimed.id, owner, attempt: claimed.attempt, token } }
}

/** The jobs of any project that the worker may start now, in their order within a project. */
function selectClaimable(
  database: Database,
  transaction: Transaction<Tables>,
  { fullHosts, isIdle }: { readonly fullHosts: readonly string[]; readonly isIdle: boolean },
): ClaimableJobs {
  let due = transaction
    .selectFrom('jobs')
    .where('jobs.state', '=', QUEUED)
    .where((jobs) => isDue(jobs, database))
    .where((jobs) => isUnpaused(jobs, database))
    .where((jobs) => isTargetFree(jobs))
    .orderBy('jobs.priority', 'desc')
    .orderBy('jobs.queued_at')
    .orderBy('jobs.id')
    .limit(1)
  if (!isIdle) due = due.where((jobs) => isNoticedByBusyWorkers(jobs, database))
  if (fullHosts.length > 0) {
    due = due.where('jobs.source_host', 'not in', fullHosts).where('jobs.target_host', 'not in', fullHosts)
  }
  return due
}

/** The jobs of one project, if its quota has room for one. */
async function selectOfProject(
  database: Database,
  transaction: Transaction<Tables>,
  claimable: ClaimableJobs,
  { project, quota }: Turn,
): Promise<ClaimableJobs> {
  const own = claimable.where('jobs.project', '=', computedText(project))
  if (quota === undefined) return own
  // The lock keeps the count valid until the claim is written.
  await lockUntilCommit(database, transaction, QUOTA_LOCK)
  return own.where((jobs) => isBelowQuota(jobs, project, quota))
}

/** Starts the first of some jobs. Returns undefined if there is none. */
async function startJob(
  database: Database,
  transaction: Transaction<Tables>,
  jobs: ClaimableJobs,
  { owner, token, leaseMs, isIdle }: ClaimOptions & { readonly token: string },
) {
  const { now } = database
  const due = jobs.select('jobs.id')
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
}
