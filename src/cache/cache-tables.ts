import type { Database } from '../db/database.ts'
import { msAgo } from '../db/sql-time.ts'
import { addUses } from './use-counts.ts'

/** The resolution of `used_at`. Without it, every read of an entry would cost a write. */
const USE_RESOLUTION_MS = 3_600_000

/** The tables of the cache, and the kind of their entries. */
export const ENTRY_KINDS = { converted_layers: 'layer', converted_images: 'image' } as const
export type CacheTable = keyof typeof ENTRY_KINDS
export const CACHE_TABLES = ['converted_layers', 'converted_images'] as const satisfies CacheTable[]

/** Sets the time of the last use of an entry. */
export async function markUsed({ write, now }: Database, table: CacheTable, key: string): Promise<void> {
  await write((query) =>
    query
      .updateTable(table)
      .set({ used_at: now })
      .where('exact_key', '=', key)
      .where('used_at', '<', msAgo({ now }, USE_RESOLUTION_MS))
      .execute(),
  )
}

/** Deletes an entry whose content is missing from the registry, and counts the deletion. */
export async function removeMissing(database: Database, table: CacheTable, key: string): Promise<void> {
  await database.transaction(async (transaction) => {
    const deleted = await transaction
      .deleteFrom(table)
      .where('exact_key', '=', key)
      .returning('project')
      .executeTakeFirst()
    const gone = { kind: ENTRY_KINDS[table], outcome: 'gone', bytes: 0 } as const
    if (deleted) await addUses(database, transaction, deleted.project, [{ ...gone, count: 1 }])
  })
}
