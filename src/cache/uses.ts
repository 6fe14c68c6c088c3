import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { CacheUse } from '../conversion/reuse/conversion-cache.ts'
import type { Database } from '../db/open.ts'
import type { Tables } from '../db/tables.ts'

const DAY_MS = 86_400_000
/** How long uses are counted by day. */
export const KEPT_DAYS = 90

/** What came of looking into the cache; `gone`: an entry was forgotten, as the registry had it no more. */
export type CountedUse = Omit<CacheUse, 'outcome'> & { readonly outcome: CacheUse['outcome'] | 'gone' }

/** Adds to today's counts. */
export async function addUses(
  { now }: Database,
  query: Database['query'] | Transaction<Tables>,
  uses: readonly CountedUse[],
): Promise<void> {
  if (uses.length === 0) return
  await query
    .insertInto('cache_uses')
    .values(uses.map((use) => ({ day: dayOf(now), ...use })))
    .onConflict((conflict) =>
      conflict.columns(['day', 'kind', 'outcome']).doUpdateSet({
        count: sql`cache_uses.count + excluded.count`,
        bytes: sql`cache_uses.bytes + excluded.bytes`,
      }),
    )
    .execute()
}

/** The counts of the last days, today among them, by kind and outcome. */
export async function usesOf({ query, now }: Database, days: number): Promise<CountedUse[]> {
  const rows = await query
    .selectFrom('cache_uses')
    .select((select) => [
      'kind',
      'outcome',
      select.fn.sum<number | string>('count').as('count'),
      select.fn.sum<number | string>('bytes').as('bytes'),
    ])
    .where('day', '>', sql<number>`${dayOf(now)} - ${sql.lit(days)}`)
    .groupBy(['kind', 'outcome'])
    .execute()
  return rows.map(({ count, bytes, ...use }) => ({ ...use, count: Number(count), bytes: Number(bytes) }))
}

/** Forgets the counts of days that nobody asks for any more. */
export async function forgetOldUses({ query, now }: Database): Promise<void> {
  await query
    .deleteFrom('cache_uses')
    .where('day', '<=', sql<number>`${dayOf(now)} - ${sql.lit(KEPT_DAYS)}`)
    .execute()
}

function dayOf(now: RawBuilder<number>): RawBuilder<number> {
  return sql<number>`cast(${now} / ${sql.lit(DAY_MS)} as integer)`
}
