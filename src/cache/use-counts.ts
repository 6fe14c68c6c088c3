import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { CacheUse } from '../conversion/reuse/conversion-cache.ts'
import type { Database } from '../db/database.ts'
import type { Tables } from '../db/tables.ts'

const DAY_MS = 86_400_000
/** How many days the counts are stored. */
export const USE_RETENTION_DAYS = 90

/**
 * How often lookups of one kind had one outcome. `gone`: an entry was deleted, because the registry had lost
 * its content.
 */
export type CountedUse = Omit<CacheUse, 'outcome'> & { readonly outcome: CacheUse['outcome'] | 'gone' }

/** Adds to the counts of today. */
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

/** Returns the counts of the last days, including today, by kind and outcome. */
export async function readUses({ query, now }: Database, days: number): Promise<CountedUse[]> {
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

/** Deletes the counts of days before the retention period. */
export async function deleteOldUses({ query, now }: Database): Promise<void> {
  await query
    .deleteFrom('cache_uses')
    .where('day', '<=', sql<number>`${dayOf(now)} - ${sql.lit(USE_RETENTION_DAYS)}`)
    .execute()
}

function dayOf(now: RawBuilder<number>): RawBuilder<number> {
  return sql<number>`cast(${now} / ${sql.lit(DAY_MS)} as integer)`
}
