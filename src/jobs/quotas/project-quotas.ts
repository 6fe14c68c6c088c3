import type { Database } from '../../db/database.ts'

/** The quotas of jobs that the rules of a project contain. A missing value is no limit. */
export type JobQuotas = {
  readonly queuedJobs?: number | undefined
  readonly runningJobs?: number | undefined
}

/**
 * Reads the quotas from the stored rules of a project, which were validated when they were written.
 * @param document null: the rules are not stored
 */
export function parseQuotas(document: string | null): JobQuotas {
  if (document === null) return {}
  const { quotas = {} } = JSON.parse(document) as { readonly quotas?: JobQuotas }
  return quotas
}

/** Reads the quotas of a project as they are now. */
export async function readQuotas({ query }: Pick<Database, 'query'>, project: string): Promise<JobQuotas> {
  const row = await query
    .selectFrom('projects')
    .select('document')
    .where('name', '=', project)
    .executeTakeFirst()
  return parseQuotas(row?.document ?? null)
}
