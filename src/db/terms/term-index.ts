import { setImmediate } from 'node:timers/promises'
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Database } from '../database.ts'
import type { Tables } from '../tables.ts'
import {
  AFTER_PREFIX,
  alsoMatches,
  type ItemCount,
  inRange,
  matches,
  onlyTerm,
  pageOf,
  type TermFilter,
  type TermQuery,
} from './term-query.ts'

export type TermTable = 'catalogue_image_terms' | 'catalogue_conversion_terms' | 'record_terms'

/** Items are gathered and sorted if a filter has at most so many; otherwise they are read in order. */
const GATHER_LIMIT = 500
/** Items that are counted at most for one filter, and for several. */
const COUNT_LIMIT = 2_000
const JOINT_COUNT_LIMIT = 250
/** Rows for which one statement looks filters up. */
const SLICE = 2_000
/** Words that a prefix is replaced with, at most. */
const MAX_EXPANDED_WORDS = 64
const MAX_TERMS_PER_INSERT = 200

/**
 * Finds rows by terms, newest first. A table of terms has a row for each term of each item, and ids of items sort
 * by time: the items of a term are a range of the table's key in the order of a listing. A query reads the range
 * of its rarest filter, and looks the other filters up item by item.
 */
export class TermIndex {
  readonly #db: Database
  readonly #table: TermTable

  constructor(database: Database, table: TermTable) {
    this.#db = database
    this.#table = table
  }

  /** Replaces the terms of an item, within a transaction that holds its row. */
  async put(transaction: Transaction<Tables>, item: string, terms: Iterable<string>): Promise<void> {
    await transaction.deleteFrom(this.#table).where('item', '=', item).execute()
    const rows = [...new Set(terms)].map((term) => ({ term, item }))
    for (let start = 0; start < rows.length; start += MAX_TERMS_PER_INSERT) {
      await transaction
        .insertInto(this.#table)
        .values(rows.slice(start, start + MAX_TERMS_PER_INSERT))
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    }
  }

  /**
   * Returns the ids of a page, newest first, and how many items there are on all pages.
   * @param page.after the last id of the previous page
   */
  async find(
    query: TermQuery,
    page: { readonly limit: number; readonly after?: string | undefined },
  ): Promise<{ ids: string[]; hasMore: boolean; total: ItemCount }> {
    const filters = query.filters.length === 0 ? [{ anyOf: [query.all] }] : query.filters
    const term = onlyTerm(filters)
    if (term !== undefined && !query.noneOf?.length) return this.#findTerm(term, query, page)
    const { rarest, isSmall } = await this.#rarest(filters, query)
    const others = filters.filter((filter) => filter !== rarest)
    const gathered = isSmall ? await this.#gather(rarest, others, query) : undefined
    if (gathered) return pageOf(gathered, page)
    const { source, further } = await this.#orderedSource(rarest, query)
    const below = page.after ?? query.below
    const rows = await this.#walk(source, [...others, ...further], { ...query, below }, page.limit + 1)
    const ids = rows.slice(0, page.limit)
    const isAll = page.after === undefined && rows.length <= page.limit
    const total = isAll
      ? { count: rows.length, isLowerBound: false }
      : await this.#count(rarest, others, query, rows.length)
    return { ids, hasMore: rows.length > page.limit, total }
  }

  /** Returns a page of the items of one term, which are in order. */
  async #findTerm(
    term: string,
    query: TermQuery,
    { limit, after }: { readonly limit: number; readonly after?: string | undefined },
  ): Promise<{ ids: string[]; hasMore: boolean; total: ItemCount }> {
    const counted = sql`(select count(*) from (select 1 from ${this.#terms}
      where term = ${term} and ${inRange(query)} limit ${sql.lit(COUNT_LIMIT + 1)}) as counted)`
    const { rows } = await sql<{ item: string; total: number }>`select item, ${counted} as total from (
        select item from ${this.#terms} where term = ${term} and ${inRange({ ...query, below: after ?? query.below })}
        order by item desc limit ${sql.lit(limit + 1)}) as page order by item desc`.execute(this.#db.query)
    // A page without items has no row with the total.
    const total = rows[0]
      ? Number(rows[0].total)
      : after === undefined
        ? 0
        : await this.#countRange({ anyOf: [term] }, query, COUNT_LIMIT)
    return {
      ids: rows.slice(0, limit).map(({ item }) => item),
      hasMore: rows.length > limit,
      total: { count: Math.min(total, COUNT_LIMIT), isLowerBound: total > COUNT_LIMIT },
    }
  }

  /**
   * Returns the newest item of each of the terms that have one.
   * @param filters an item must match all of these; with filters, only the newest items of a term are looked at
   */
  async newestOf(
    terms: readonly string[],
    filters: readonly TermFilter[] = [],
  ): Promise<Map<string, string>> {
    const rows = await this.#perTerm<string | null>(
      terms,
      sql`(select max(item) from ${this.#itemsOfWanted(filters)} as matching)`,
    )
    return new Map(rows.flatMap(({ term, result }) => (result === null ? [] : [[term, result] as const])))
  }

  /** Returns the number of items of each of the terms, up to a limit. @param filters as of `newestOf` */
  async countEach(
    terms: readonly string[],
    limit: number,
    filters: readonly TermFilter[] = [],
  ): Promise<Map<string, number>> {
    const rows = await this.#perTerm<number>(
      terms,
      sql`(select count(*) from (select 1 from ${this.#itemsOfWanted(filters)} as matching
      limit ${sql.lit(limit)}) as counted)`,
    )
    return new Map(rows.map(({ term, result }) => [term, Number(result)] as const))
  }

  /** The items of the wanted term that match filters, as a subquery. */
  #itemsOfWanted(filters: readonly TermFilter[]) {
    const items = sql`select item from ${this.#terms} as own where own.term = wanted.value`
    if (filters.length === 0) return sql`(${items})`
    return sql`(select item from (${items} order by item desc limit ${sql.lit(COUNT_LIMIT)}) as found
      where ${alsoMatches(this.#terms, filters, {})})`
  }

  async #perTerm<Result>(terms: readonly string[], result: RawBuilder<unknown>) {
    if (terms.length === 0) return []
    const json = JSON.stringify([...new Set(terms)])
    const wanted =
      this.#db.engine === 'postgres'
        ? sql`json_array_elements_text(${json}::json) as wanted(value)`
        : sql`json_each(${json}) as wanted`
    const { rows } = await sql<{
      term: string
      result: Result
    }>`select wanted.value as term, ${result} as result
      from ${wanted}`.execute(this.#db.query)
    return rows
  }

  /** The filter that the fewest items match, and whether all of them may be few enough to be gathered. */
  async #rarest(filters: readonly TermFilter[], query: TermQuery) {
    const [only, ...others] = filters
    // A single filter is gathered up to the limit: that tells as much as counting.
    if (only && others.length === 0 && 'anyOf' in only) return { rarest: only, isSmall: true }
    let rarest = filters[0] ?? { anyOf: [query.all] }
    let fewest = Number.POSITIVE_INFINITY
    for (const limit of [GATHER_LIMIT, COUNT_LIMIT]) {
      const counts = await this.#countRanges(filters, query, limit)
      for (const [i, count] of counts.entries()) {
        if (count >= fewest) continue
        fewest = count
        rarest = filters[i] ?? rarest
      }
      if (fewest <= GATHER_LIMIT || filters.length === 1) break
      // All of them are larger: a larger limit tells which one is the smallest.
      fewest = Number.POSITIVE_INFINITY
    }
    return { rarest, isSmall: fewest <= GATHER_LIMIT }
  }

  async #countRange(filter: TermFilter, query: TermQuery, limit: number): Promise<number> {
    const [count = 0] = await this.#countRanges([filter], query, limit)
    return count
  }

  /**
   * Counts the rows of the table for each filter up to `limit` + 1, in one statement. An item with two terms of a filter
   * counts twice.
   */
  async #countRanges(filters: readonly TermFilter[], query: TermQuery, limit: number): Promise<number[]> {
    const counts = filters.map((filter, i) => {
      // The rows of a prefix are not in the order of the ids, so a range of ids would not bound what is read.
      const range = 'anyOf' in filter ? inRange(query) : sql`true`
      const rows = sql`select 1 from ${this.#terms} where ${matches(filter)} and ${range} limit ${sql.lit(limit + 1)}`
      return sql`(select count(*) from (${rows}) as counted) as ${sql.ref(`n${i}`)}`
    })
    const { rows } = await sql<Record<string, number>>`select ${sql.join(counts)}`.execute(this.#db.query)
    return filters.map((_, i) => Number(rows[0]?.[`n${i}`] ?? 0))
  }

  /** Returns all items, newest first; undefined if there are too many. */
  async #gather(
    rarest: TermFilter,
    others: readonly TermFilter[],
    query: TermQuery,
  ): Promise<string[] | undefined> {
    const rows = sql<{ item: string }>`select distinct item from ${this.#terms} as found
      where ${matches(rarest)} and ${inRange(query)} and ${alsoMatches(this.#terms, others, query)}
      limit ${sql.lit(GATHER_LIMIT + 1)}`
    const { rows: found } = await rows.execute(this.#db.query)
    if (found.length > GATHER_LIMIT) return undefined
    return found.map(({ item }) => item).sort((a, b) => (a < b ? 1 : -1))
  }

  /**
   * Returns terms whose items together contain those of a filter and can be read in order, and the filter if they
   * contain others, too.
   */
  async #orderedSource(filter: TermFilter, { all }: TermQuery) {
    if ('anyOf' in filter) return { source: filter.anyOf, further: [] }
    const words = await this.#expand(filter.prefix)
    // A prefix of so many words is found soon among all items.
    return words === undefined ? { source: [all], further: [filter] } : { source: words, further: [] }
  }

  /** Returns the terms with a prefix; undefined if there are too many. Skips from term to term in the index. */
  async #expand(prefix: string): Promise<string[] | undefined> {
    const next = (after: RawBuilder<unknown>) =>
      sql`(select term from ${this.#terms} where ${after} and term < ${prefix + AFTER_PREFIX} order by term limit 1)`
    const { rows } = await sql<{ term: string }>`with recursive words(term) as (
        select ${next(sql`term >= ${prefix}`)}
        union all
        select ${next(sql`term > words.term`)} from words where words.term is not null
      )
      select term from words where term is not null limit ${sql.lit(MAX_EXPANDED_WORDS + 1)}`.execute(
      this.#db.query,
    )
    return rows.length > MAX_EXPANDED_WORDS ? undefined : rows.map(({ term }) => term)
  }

  /**
   * Returns the newest items of a source that match, slice by slice: filters that nothing matches together read all
   * of it, and SQLite runs each statement in this thread.
   */
  async #walk(
    source: readonly string[],
    filters: readonly TermFilter[],
    query: TermQuery,
    limit: number,
  ): Promise<string[]> {
    if (source.length === 0) return []
    const isFiltered = filters.length > 0 || (query.noneOf ?? []).length > 0
    const found: string[] = []
    let { below } = query
    for (;;) {
      const start = isFiltered ? await this.#sliceStart(source, { ...query, below }) : undefined
      const slice = { ...query, from: start ?? query.from, below }
      found.push(...(await this.#readSlice(source, filters, slice, limit - found.length)))
      if (start === undefined || found.length >= limit) return found
      below = start
      await setImmediate()
    }
  }

  /** Returns an item from which on a source has no more rows than a slice; undefined if that is all of it. */
  async #sliceStart(source: readonly string[], query: TermQuery): Promise<string | undefined> {
    const share = Math.ceil(SLICE / source.length)
    const starts = source.map(
      (term) => sql`select * from (
        select item from ${this.#terms} where term = ${term} and ${inRange(query)}
        order by item desc limit 1 offset ${sql.lit(share - 1)}) as start`,
    )
    const { rows } = await sql<{
      item: string | null
    }>`select max(item) as item from (${sql.join(starts, sql` union all `)}) as starts`.execute(
      this.#db.query,
    )
    return rows[0]?.item ?? undefined
  }

  async #readSlice(
    source: readonly string[],
    filters: readonly TermFilter[],
    query: TermQuery,
    limit: number,
  ): Promise<string[]> {
    const streams = source.map(
      (term) => sql`select * from (
        select item from ${this.#terms} as found
        where term = ${term} and ${inRange(query)} and ${alsoMatches(this.#terms, filters, query)}
        order by item desc limit ${sql.lit(limit)}) as stream`,
    )
    const { rows } = await sql<{
      item: string
    }>`select distinct item from (${sql.join(streams, sql` union all `)}) as streams
      order by item desc limit ${sql.lit(limit)}`.execute(this.#db.query)
    return rows.map(({ item }) => item)
  }

  /** @param found the number of items on the page, which is a lower bound */
  async #count(
    rarest: TermFilter,
    others: readonly TermFilter[],
    query: TermQuery,
    found: number,
  ): Promise<ItemCount> {
    const candidates = sql`select item from ${this.#terms} where ${matches(rarest)}
      and ${'anyOf' in rarest ? inRange(query) : sql`true`} limit ${sql.lit(JOINT_COUNT_LIMIT)}`
    const isMatch = sql`${inRange(query)} and ${alsoMatches(this.#terms, others, query)}`
    const { rows } = await sql<{ candidates: number; matching: number }>`select count(*) as candidates,
      count(distinct case when ${isMatch} then item end) as matching from (${candidates}) as found`.execute(
      this.#db.query,
    )
    const { candidates: read, matching } = rows[0] ?? { candidates: 0, matching: 0 }
    return { count: Math.max(Number(matching), found), isLowerBound: Number(read) >= JOINT_COUNT_LIMIT }
  }

  get #terms() {
    return sql.table(this.#table)
  }
}
