import { type RawBuilder, sql } from 'kysely'
import type { Database } from '../../db/database.ts'

/**
 * The registry and repository of a reference in a column of `jobs`: everything before its tag or digest. Has
 * to be the expression of the index, see `0020-job-listings.ts`.
 */
export function repositoryOf({ engine }: Database, column: 'source' | 'target'): RawBuilder<string> {
  const name = `jobs.${column}`
  if (engine === 'postgres') return sql.raw(`(regexp_replace(${name}, '[:@][^/]*$', ''))`)
  const untilSlash = `rtrim(${name}, replace(${name}, '/', ''))`
  const rest = `substr(${name}, length(${untilSlash}) + 1)`
  const withoutDigest = `substr(${rest}, 1, instr(${rest} || '@', '@') - 1)`
  return sql.raw(`(${untilSlash} || substr(${withoutDigest}, 1, instr(${withoutDigest} || ':', ':') - 1))`)
}
