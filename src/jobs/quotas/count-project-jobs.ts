import { sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { JOB_KINDS } from '../job.ts'
import { QUEUED, RUNNING } from '../rows.ts'

/** Counts the unfinished jobs of a project, by an index. */
export async function countJobsOfProject(
  { query }: Pick<Database, 'query'>,
  project: string,
): Promise<{ readonly queued: number; readonly running: number }> {
  const rows = await query
    .selectFrom('jobs')
    .select((select) => ['state', select.cast<number>(select.fn.countAll(), 'bigint').as('count')])
    .where('project', '=', project)
    .where(
      'kind',
      'in',
      JOB_KINDS.map((kind) => sql.lit(kind)),
    )
    .where('state', 'in', [QUEUED, RUNNING])
    .groupBy('state')
    .execute()
  const countOf = (state: string) => Number(rows.find((row) => row.state === state)?.count ?? 0)
  return { queued: countOf('queued'), running: countOf('running') }
}
