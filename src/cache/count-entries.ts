import type { Database } from '../db/database.ts'
import { CACHE_TABLES, ENTRY_KINDS } from './cache-tables.ts'

/** Counts the entries of the cache by kind. */
export async function countEntries({ query }: Database): Promise<ReadonlyMap<'layer' | 'image', number>> {
  const counts = new Map<'layer' | 'image', number>()
  for (const table of CACHE_TABLES) {
    const { entries } = await query
      .selectFrom(table)
      .select((select) => select.fn.countAll<number>().as('entries'))
      .executeTakeFirstOrThrow()
    counts.set(ENTRY_KINDS[table], Number(entries))
  }
  return counts
}
