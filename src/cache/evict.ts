import type { Transaction } from 'kysely'
import type { Tables } from '../db/tables.ts'
import type { CacheTable } from './cache-tables.ts'

/**
 * Deletes entries until a table has at most `limit` of them. Each time the project with the most entries loses the one
 * that it used least recently, so that no project displaces what fits into the equal shares of others.
 */
export async function evictFairly(
  query: Transaction<Tables>,
  table: CacheTable,
  limit: number,
): Promise<void> {
  const rows = await query
    .selectFrom(table)
    .select((select) => ['project', select.fn.countAll<number>().as('entries')])
    .groupBy('project')
    .execute()
  const counts = rows.map(({ project, entries }) => ({ project, entries: Number(entries) }))
  for (const { project, excess } of shareExcess(counts, limit)) {
    const oldest = query
      .selectFrom(table)
      .select('exact_key')
      .where('project', '=', project)
      .orderBy('used_at')
      .orderBy('exact_key', 'desc')
      .limit(excess)
    await query.deleteFrom(table).where('exact_key', 'in', oldest).execute()
  }
}

type ProjectEntries = { readonly project: string; readonly entries: number }

/** How many entries each project loses, so that all together have at most `limit`. */
export function shareExcess(
  counts: readonly ProjectEntries[],
  limit: number,
): { readonly project: string; readonly excess: number }[] {
  const ascending = counts.toSorted((a, b) => a.entries - b.entries)
  let room = limit
  return ascending.flatMap(({ project, entries }, i) => {
    // Those with few entries keep them, and leave the rest of their share to the others.
    const kept = Math.min(entries, Math.floor(room / (ascending.length - i)))
    room -= kept
    return entries > kept ? [{ project, excess: entries - kept }] : []
  })
}
