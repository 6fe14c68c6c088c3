import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { CacheUse } from '../conversion/reuse/conversion-cache.ts'
import type { Database } from '../db/database.ts'
import { DEFAULT_PROJECT, type ProjectScope } from '../db/project-scope.ts'
import type { Tables } from '../db/tables.ts'

const DAY_MS = 86_400_000
/** How many days the counts are stored. */
export const USE_RETENTION_DAYS = 90

/**
 * How often lookups of one kind had one outcome. `gone`: an entry was deleted, because the registry had lost
 * its content.
 */
export type CountedUse = Omit<CacheUse, 'outcome'> & { readonly outcome: CacheUse['outcome'] | 'gone' }

/** Adds to the counts of a project for today. */
export async function addUses(
  { now }: Database,
  query: Database['query'] | Transaction<Tables>,
  project: string,
  uses: readonly CountedUse[],
): Promise<void> {
  if (uses.length === 0) return
  const isDefault = project === DEFAULT_PROJECT
  const table = isDefault ? 'cache_uses' : 'project_cache_uses'
  const key = ['day', 'kind', 'outcome'] as const
  await query
    .insertInto(table)
    .values(uses.map((use) => ({ ...(!isDefault && { project }), day: dayOf(now), ...use })))
    .onConflict((conflict) =>
      conflict.columns(isDefault ? key : ['project', ...key]).doUpdateSet({
        count: sql`${sql.ref(`${table}.count`)} + excluded.count`,
        bytes: sql`${sql.ref(`${table}.bytes`)} + excluded.bytes`,
      }),
    )
    .execute()
}

/** Returns the counts of the last days, including today, by kind and outcome. */
export async function readUses(
  { query, now }: Database,
  days: number,
  scope: ProjectScope,
): Promise<CountedUse[]> {
  const ofDefault = query.selectFrom('cache_uses').select(['day', 'kind', 'outcome', 'count', 'bytes'])
  const ofOthers = query
    .selectFrom('project_cache_uses')
    .select(['day', 'kind', 'outcome', 'count', 'bytes'])
    .where(scope.condition())
  const counted = scope.includes(DEFAULT_PROJECT) ? ofDefault.unionAll(ofOthers) : ofOthers
  const rows = await query
    .selectFrom(counted.as('counted'))
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
  for (const table of ['cache_uses', 'project_cache_uses'] as const) {
    await query
      .deleteFrom(table)
      .where('day', '<=', sql<number>`${dayOf(now)} - ${sql.lit(USE_RETENTION_DAYS)}`)
      .execute()
  }
}

function dayOf(now: RawBuilder<number>): RawBuilder<number> {
  return sql<number>`cast(${now} / ${sql.lit(DAY_MS)} as integer)`
}
