import { type RawBuilder, sql } from 'kysely'
import type { Database } from './database.ts'

/**
 * Keeps SQLite from using an index for a column or an expression: without statistics it may prefer any index to
 * the one that yields the order of the list.
 */
export function withoutIndex<Value>(
  { engine }: Pick<Database, 'engine'>,
  expression: RawBuilder<Value>,
): RawBuilder<Value> {
  return engine === 'sqlite' ? sql<Value>`+${expression}` : expression
}
