import { type RawBuilder, type SqlBool, sql } from 'kysely'

/** Items that have at least one of some terms, or a term with a prefix. */
export type TermFilter = { readonly anyOf: readonly string[] } | { readonly prefix: string }

export type TermQuery = {
  /** The term that every item has. */
  readonly all: string
  /** An item must match all of these. */
  readonly filters: readonly TermFilter[]
  /** An item must have none of these terms. */
  readonly noneOf?: readonly string[] | undefined
  /** The least id, and the id that all ids are below. */
  readonly from?: string | undefined
  readonly below?: string | undefined
}

/** A number of items; with `isLowerBound` there may be more. */
export type ItemCount = { readonly count: number; readonly isLowerBound: boolean }

/** Terms of one filter that are looked up for each item. */
const MAX_LOOKUPS = 16

/** Follows every character that a term can contain. */
export const AFTER_PREFIX = '\u{10ffff}'

/** @param ids all items, newest first */
export function pageOf(
  ids: readonly string[],
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
): { ids: string[]; hasMore: boolean; total: ItemCount } {
  const remaining = after === undefined ? ids : ids.filter((id) => id < after)
  return {
    ids: remaining.slice(0, limit),
    hasMore: remaining.length > limit,
    total: { count: ids.length, isLowerBound: false },
  }
}

/** The term of a query that has only one. */
export function onlyTerm(filters: readonly TermFilter[]): string | undefined {
  const [first, ...others] = filters
  if (first === undefined || others.length > 0 || 'prefix' in first) return undefined
  return first.anyOf.length === 1 ? first.anyOf[0] : undefined
}

export function inRange({ from, below }: Pick<TermQuery, 'from' | 'below'>): RawBuilder<SqlBool> {
  const conditions = [
    ...(from === undefined ? [] : [sql<SqlBool>`item >= ${from}`]),
    ...(below === undefined ? [] : [sql<SqlBool>`item < ${below}`]),
  ]
  return conditions.length === 0 ? sql<SqlBool>`true` : sql<SqlBool>`${sql.join(conditions, sql` and `)}`
}

/** The condition that a term matches a filter. @param table the name of the table in a subquery */
export function matches(filter: TermFilter, table: 'other.' | '' = ''): RawBuilder<SqlBool> {
  const term = sql.raw(`${table}term`)
  if ('prefix' in filter) {
    return sql<SqlBool>`${term} >= ${filter.prefix} and ${term} < ${filter.prefix + AFTER_PREFIX}`
  }
  const [first, ...others] = filter.anyOf
  if (first === undefined) return sql<SqlBool>`false`
  return others.length === 0
    ? sql<SqlBool>`${term} = ${first}`
    : sql<SqlBool>`${term} in (${sql.join(filter.anyOf)})`
}

/**
 * The condition that one of an item's terms matches a filter. Of many terms, looking each up would take longer than
 * comparing the few of the item with all of them: the expression keeps the database from looking them up.
 */
function matchesOfItem(filter: TermFilter): RawBuilder<SqlBool> {
  return 'anyOf' in filter && filter.anyOf.length > MAX_LOOKUPS
    ? sql<SqlBool>`other.term || '' in (${sql.join(filter.anyOf)})`
    : matches(filter, 'other.')
}

/**
 * Conditions on `found.item`. They are scalar subqueries, which PostgreSQL evaluates item by item: it might
 * otherwise join all items of each term first.
 */
export function alsoMatches(
  terms: RawBuilder<unknown>,
  filters: readonly TermFilter[],
  { noneOf = [] }: Pick<TermQuery, 'noneOf'>,
): RawBuilder<SqlBool> {
  const one = (filter: TermFilter) =>
    sql`(select 1 from ${terms} as other where other.item = found.item and ${matchesOfItem(filter)} limit 1)`
  const conditions = [
    ...filters.map((filter) => sql<SqlBool>`${one(filter)} is not null`),
    ...(noneOf.length > 0 ? [sql<SqlBool>`${one({ anyOf: noneOf })} is null`] : []),
  ]
  return conditions.length === 0 ? sql<SqlBool>`true` : sql<SqlBool>`${sql.join(conditions, sql` and `)}`
}
