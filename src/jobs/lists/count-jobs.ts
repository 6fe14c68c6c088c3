import { sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import type { ProjectScope } from '../../db/project-scope.ts'
import type { JobKind, JobState } from '../job.ts'
import { toCounts, UNFINISHED } from '../rows.ts'

/**
 * Counts the jobs of a kind by state. Unfinished jobs are counted by an index; for finished ones there are
 * tallies, which each transaction that finishes a job updates.
 */
export async function countJobs(
  { query }: Database,
  scope: ProjectScope,
  kind: JobKind,
): Promise<Record<JobState, number>> {
  const unfinished = query
    .selectFrom('jobs')
    .select((select) => ['state', select.cast<number>(select.fn.countAll(), 'bigint').as('count')])
    .where('kind', '=', sql.lit(kind))
    .where(scope.condition())
    .where('state', 'in', UNFINISHED)
    .groupBy('state')
  const finished = query
    .selectFrom('job_tallies')
    .select((select) => ['state', select.cast<number>(select.fn.sum('jobs'), 'bigint').as('count')])
    .where('kind', '=', kind)
    .where(scope.condition())
    .groupBy('state')
  // One statement, so that a job that changes its state meanwhile is counted once.
  const rows = await unfinished.unionAll(finished).execute()
  return toCounts(rows)
}
