import type { Transaction } from 'kysely'
import { msAgo } from '../db/moments.ts'
import type { Database } from '../db/open.ts'
import type { Tables } from '../db/tables.ts'
import { addUses } from './uses.ts'

/** A use that is not older is not written down again: reading an entry costs no write. */
const USED_AGAIN_MS = 3_600_000

/** The tables of what is remembered, and what their entries are. */
export const KINDS = { converted_layers: 'layer', converted_images: 'image' } as const
export type CacheTable = keyof typeof KINDS
export const CACHE_TABLES = ['converted_layers', 'converted_images'] as const satisfies CacheTable[]

/** Notes that an entry was used. */
export async function touch({ write, now }: Database, table: CacheTable, key: string): Promise<void> {
  await write((query) =>
    query
      .updateTable(table)
      .set({ used_at: now })
      .where('exact_key', '=', key)
      .where('used_at', '<', msAgo({ now }, USED_AGAIN_MS))
      .execute(),
  )
}

/** Forgets all entries but those that were used last. */
export async function keepNewest(
  query: Transaction<Tables>,
  table: CacheTable,
  limit: number,
): Promise<void> {
  const newest = query
    .selectFrom(table)
    .select('exact_key')
    .orderBy('used_at', 'desc')
    .orderBy('exact_key')
    .limit(limit)
  await query.deleteFrom(table).where('exact_key', 'not in', newest).execute()
}

/** Forgets an entry because the registry has not what it names, and counts that. */
export async function forgetGone(database: Database, table: CacheTable, key: string): Promise<void> {
  await database.transaction(async (transaction) => {
    const { numDeletedRows } = await transaction
      .deleteFrom(table)
      .where('exact_key', '=', key)
      .executeTakeFirst()
    const gone = { kind: KINDS[table], outcome: 'gone', bytes: 0 } as const
    if (numDeletedRows > 0n) await addUses(database, transaction, [{ ...gone, count: 1 }])
  })
}
