import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { MIGRATIONS } from './migrations/migrations.ts'
import type { Tables } from './tables.ts'

/** Runs all pending migrations under a lock. */
export async function migrateToLatest(query: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db: query, provider: { getMigrations: async () => MIGRATIONS } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined)
    throw new Error('the database could not be migrated to the latest schema', { cause: error })
}
