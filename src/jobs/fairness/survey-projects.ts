import { type Selectable, type SelectQueryBuilder, sql, type Transaction } from 'kysely'
import { computedText } from '../../db/computed-value.ts'
import { parseQuotas } from '../../db/project-quotas.ts'
import type { Tables } from '../../db/tables.ts'
import { QUEUED, RUNNING } from '../rows.ts'

/** The queued jobs that may be claimed now, the first one first. */
export type ClaimableJobs = SelectQueryBuilder<Tables, 'jobs', object>

/** A project with queued jobs. */
export type Candidate = {
  readonly project: string
  readonly running: number
  /** The number of its jobs that may run at a time; undefined for no limit. */
  readonly quota: number | undefined
  readonly isClaimable: boolean
  /** A worker died while it ran the project's next job. */
  readonly isSuspect: boolean
}

/** Part of the ring of projects. `through` is the last project; default: the last of all. */
type Arc = {
  readonly after: string
  readonly through?: string
  /** Projects that are passed over. */
  readonly excluded: readonly string[]
  /** How many projects with a job to claim and none that runs are sought. */
  readonly width: number
}
type Row = {
  readonly project: string
  readonly suspect: Selectable<Tables['jobs']>['suspect'] | null
  readonly running: number | string | null
  readonly document: string | null
}

/**
 * Walks the projects with queued jobs in the order of their names, up to the first ones that have a job to claim and
 * none that runs: no others have a better claim. Each step reads an index once, so that the cost depends neither on
 * the number of jobs nor on the number of projects, but on that of running jobs.
 */
export async function surveyProjects(
  transaction: Transaction<Tables>,
  claimable: ClaimableJobs,
  { after, through, excluded, width }: Arc,
): Promise<Candidate[]> {
  const next = (last: ReturnType<typeof sql<string>>) => {
    const end = through === undefined ? sql`` : sql`and one.project <= ${computedText(through)}`
    return sql`(select one.project from jobs as one where one.state = ${QUEUED} and one.project > ${last} ${end}
      order by one.project limit 1)`
  }
  const first = claimable.select('jobs.suspect').where('jobs.project', '=', sql.ref<string>('ring.project'))
  const isIncluded = excluded.length === 0 ? sql`true` : sql`ring.project not in (${sql.join(excluded)})`
  const isWorse = sql`(ring.suspect is null or exists (select 1 from busy where busy.project = ring.project))`
  // Each project takes two steps: 0 finds it, and 1 its next job. The index of leases has running jobs only.
  const { rows } = await sql<Row>`with recursive
    busy as (
      select project, count(*) as running from jobs where state = ${RUNNING} and lease_until > 0 group by project
    ),
    ring(project, suspect, found, step) as (
      select ${next(computedText(after))}, cast(null as integer), 0, 0
      union all
      select
        case when ring.step = 0 then ring.project else ${next(sql.ref('ring.project'))} end,
        case when ring.step = 0 and ${isIncluded} then (${first}) end,
        case when ring.step = 0 or ${isWorse} then ring.found else ring.found + 1 end,
        1 - ring.step
      from ring where ring.project is not null
        and (ring.step = 0 or ${isWorse} or ring.found + 1 < ${sql.lit(width)})
    )
    select ring.project, ring.suspect, busy.running,
      case when ring.suspect is not null then (select document from projects where name = ring.project) end as document
    from ring left join busy on busy.project = ring.project
    where ring.step = 1 and ring.project is not null
    order by ring.project`.execute(transaction)
  return rows.map(({ project, suspect, running, document }) => ({
    project,
    running: Number(running ?? 0),
    quota: parseQuotas(document).runningJobs,
    isClaimable: suspect !== null,
    isSuspect: suspect === 1,
  }))
}
