import { type ExpressionBuilder, type ExpressionWrapper, type RawBuilder, type SqlBool, sql } from 'kysely'
import { computedText } from '../../db/computed-value.ts'
import type { Database } from '../../db/database.ts'
import { msAgo } from '../../db/sql-time.ts'
import type { Tables } from '../../db/tables.ts'
import { QUEUED, RUNNING } from '../rows.ts'

/**
 * The conditions on a queued job under which a worker may claim it. Claims apply them, and the view of a
 * queued job tells which of them it does not meet.
 */
type Jobs = ExpressionBuilder<Tables, 'jobs'>
type Condition = ExpressionWrapper<Tables, 'jobs', SqlBool>

/**
 * A suspect that has been due for this long blocks the jobs behind it: busy workers claim nothing until one
 * of them is idle and can run it.
 */
const MAX_SUSPECT_WAIT_MS = 600_000

export function isDue(jobs: Jobs, { now }: Database): Condition {
  return jobs('run_at', '<=', now)
}

/** Neither of the job's registries is paused. */
export function isUnpaused(jobs: Jobs, { now }: Database): Condition {
  return jobs.not(
    jobs.exists(
      jobs
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
  )
}

/** Jobs with the same target, such as those for two pushes of one tag, run one after the other. */
export function isTargetFree(jobs: Jobs): Condition {
  return jobs.or([
    jobs('target', '=', sql.lit('')),
    jobs.not(
      jobs.exists(
        jobs
          .selectFrom('jobs as other')
          .select('other.id')
          .whereRef('other.target', '=', 'jobs.target')
          .whereRef('other.kind', '=', 'jobs.kind')
          .where('other.target', '<>', sql.lit(''))
          .where('other.state', '=', RUNNING),
      ),
    ),
  ])
}

/** A worker that runs other jobs passes over suspects until they have waited for too long. */
export function isNoticedByBusyWorkers(jobs: Jobs, database: Database): Condition {
  return jobs.or([jobs('suspect', '=', sql.lit(0)), isOverdue(jobs, database)])
}

/** The job has been due for so long that it blocks those behind it if it is a suspect. */
export function isOverdue(jobs: Jobs, database: Database): Condition {
  return jobs('run_at', '<', msAgo(database, MAX_SUSPECT_WAIT_MS))
}

/** A project runs fewer jobs than its quota allows. */
export function isBelowQuota(jobs: Jobs, project: string, quota: number): Condition {
  const running = jobs
    .selectFrom('jobs as other')
    .select((other) => other.cast<number>(other.fn.countAll(), 'bigint').as('running'))
    .where('other.project', '=', computedText(project))
    .where('other.state', '=', RUNNING)
    // The index of leases has running jobs only.
    .where('other.lease_until', '>', sql.lit(0))
  return jobs(running, '<', quota)
}

/**
 * The job is of this project, which has no quota of running jobs, and no other project has queued jobs. Claims of a
 * broker with one project apply it each time: as plain SQL it is composed in no time.
 */
export function isOnlyProject(project: string): RawBuilder<SqlBool> {
  const only = computedText(project)
  return sql<SqlBool>`jobs.project = ${only}
    and not exists (select 1 from jobs as other where other.state = ${QUEUED} and other.project < ${only})
    and not exists (select 1 from jobs as other where other.state = ${QUEUED} and other.project > ${only})
    and not exists (select 1 from projects where name = ${only} and document like '%"runningJobs"%')`
}
