import type { Database } from './database.ts'
import { DEFAULT_PROJECT } from './project-scope.ts'

/** Whether there is a project other than the default one, now. */
export async function hasOtherProjects({ query }: Pick<Database, 'query'>): Promise<boolean> {
  const row = await query
    .selectFrom('projects')
    .select('name')
    .where('name', '!=', DEFAULT_PROJECT)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
