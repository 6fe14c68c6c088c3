import { type RawBuilder, sql } from 'kysely'

/**
 * A text in a statement that is executed very often. Once there are statistics, SQLite would prepare a statement again
 * each time that a bound value is compared with an indexed column; it does not look at values that are computed.
 */
export function computedText(text: string): RawBuilder<string> {
  return sql<string>`(${text} || '')`
}
