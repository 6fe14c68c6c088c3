import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { isUniqueViolation } from '../../db/errors.ts'
import { inMs, msAgo } from '../../db/moments.ts'
import type { Database } from '../../db/open.ts'
import { recordEvent, ringFor } from '../events/events.ts'
import type { Job, Lease } from '../job.ts'
import { QUEUED, RUNNING, toJob } from '../rows.ts'
import { fullHosts, type RegistryLimits } from './registry-limits.ts'

export type Claim = { readonly job: Job; readonly lease: Lease }
export type Claimer = {
  readonly owner: string
  readonly leaseMs: number
  readonly limits: RegistryLimits | undefined
  /** Whether the claimer does nothing else: it may take a job that is suspected to have killed a worker. */
  readonly isIdle: boolean
}

/** A suspect that has waited for so long for a worker that does nothing else keeps busy ones from other jobs. */
const PASSED_OVER_MS = 600_000

/** Takes the most urgent job that is due, of those the one of the first rank; undefined when there is none to take. */
export async function claimJob(database: Database, claimer: Claimer): Promise<Claim | undefined> {
  for (;;) {
    try {
      return await claimOnce(database, claimer)
    } catch (error) {
      // Another worker just began a job with the same target, which this one could not see yet (PostgreSQL).
      if (!isUniqueViolation(error)) throw error
    }
  }
}

async function claimOnce(
  database: Database,
  { owner, leaseMs, limits, isIdle }: Claimer,
): Promise<Claim | undefined> {
  const { now } = database
  const token = randomUUID()
  const claimed = await database.transaction(async (transaction) => {
    const full = limits ? await fullHosts(database, transaction, limits) : []
    let due = transaction
      .selectFrom('jobs')
      .select('jobs.id')
      .where('jobs.state', '=', QUEUED)
      .where('run_at', '<=', now)
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('host_pauses')
              .select('host')
              .where('until', '>', now)
              .where((paused) =>
                paused.or([
                  paused('host', '=', paused.ref('jobs.source_host')),
                  paused('host', '=', paused.ref('jobs.target_host')),
                ]),
              ),
          ),
        ),
      )
      // Of jobs with one target, such as those for two pushes of one tag, the later begins when the earlier is over.
      .where((where) =>
        where.or([
          where('target', '=', sql.lit('')),
          where.not(
            where.exists(
              where
                .selectFrom('jobs as other')
                .select('other.id')
                .whereRef('other.target', '=', 'jobs.target')
                .whereRef('other.kind', '=', 'jobs.kind')
                .where('other.target', '<>', sql.lit(''))
                .where('other.state', '=', RUNNING),
            ),
          ),
        ]),
      )
      .orderBy('priority', 'desc')
      .orderBy('queued_at')
      .orderBy('jobs.id')
      .limit(1)
    if (!isIdle) {
      due = due.where((where) =>
        where.or([where('suspect', '=', sql.lit(0)), where('run_at', '<', msAgo(database, PASSED_OVER_MS))]),
      )
    }
    if (full.length > 0) {
      due = due.where('source_host', 'not in', full).where('target_host', 'not in', full)
    }
    // SQLite has one writer at a time; PostgreSQL has to lock the row it picks and to pass over those that other
    // workers are just taking.
    const picked = database.engine === 'postgres' ? due.forUpdate('jobs').skipLocked() : due
    const row = await transaction
      .updateTable('jobs')
      .set({
        state: 'running',
        owner,
        token,
        attempt: sql`attempt + 1`,
        event_seq: sql`event_seq + 1`,
        lease_until: inMs(database, leaseMs),
        started_at: sql`coalesce(started_at, ${now})`,
        progress: null,
      })
      .where('id', '=', picked)
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
  ringFor(database, claimed.id)
  return { job: toJob(claimed), lease: { id: claimed.id, owner, attempt: claimed.attempt, token } }
}
