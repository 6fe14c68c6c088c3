import type { Database } from '../../db/database.ts'
import { DEFAULT_PROJECT } from '../../db/project-scope.ts'
import { ProjectNotFoundError } from './errors.ts'

type Query = Pick<Database['query'], 'selectFrom'>

/** Whether a project is stored now. The default one exists without that. */
export async function isProjectStored(query: Query, name: string): Promise<boolean> {
  const row = await query.selectFrom('projects').select('name').where('name', '=', name).executeTakeFirst()
  return row !== undefined
}

/** @throws ProjectNotFoundError */
export async function assertProjectExists(query: Query, name: string): Promise<void> {
  if (name !== DEFAULT_PROJECT && !(await isProjectStored(query, name))) throw new ProjectNotFoundError(name)
}
