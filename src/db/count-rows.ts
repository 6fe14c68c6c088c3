import type { AliasableExpression } from 'kysely'
import type { Database } from './database.ts'

/** Counts the rows of a query. A limit of the query bounds how many are read. */
export async function countRows(
  { query }: Pick<Database, 'query'>,
  rows: AliasableExpression<object>,
): Promise<number> {
  const { count } = await query
    .selectFrom(rows.as('counted'))
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}
