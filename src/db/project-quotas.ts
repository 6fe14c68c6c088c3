import type { Database } from './database.ts'

/** The quotas of what the database counts, as the rules of a project contain them. A missing value is no limit. */
type StoredQuotas = {
  readonly queuedJobs?: number | undefined
  readonly runningJobs?: number | undefined
  readonly records?: number | undefined
}

/**
 * Reads the quotas from the stored rules of a project, which were validated when they were written.
 * @param document null: the rules are not stored
 */
export function parseQuotas(document: string | null): StoredQuotas {
  if (document === null) return {}
  const { quotas = {} } = JSON.parse(document) as { readonly quotas?: StoredQuotas }
  return quotas
}

/** Reads the quotas of a project as they are now. */
export async function readQuotas({ query }: Pick<Database, 'query'>, project: string): Promise<StoredQuotas> {
  const row = await query
    .selectFrom('projects')
    .select('document')
    .where('name', '=', project)
    .executeTakeFirst()
  return parseQuotas(row?.document ?? null)
}
