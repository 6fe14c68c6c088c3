import type { ExpressionBuilder, ExpressionWrapper, SqlBool, Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import { msAgo } from '../../db/sql-time.ts'
import type { Tables } from '../../db/tables.ts'
import type { TokenState } from './api-token.ts'
import { TooManyTokensError } from './errors.ts'

/** The tokens of a project that are accepted at a time. */
const MAX_USABLE = 1_000
/** The ended tokens of a project that lists still show. */
const MAX_ENDED = 10_000
/** How long lists show a token after it has ended. */
const ENDED_MS = 90 * 86_400_000
/** The ended tokens that one creation removes at most: more than it adds. */
const REMOVED_AT_ONCE = 100

type Condition = (
  builder: ExpressionBuilder<Tables, 'api_tokens'>,
) => ExpressionWrapper<Tables, 'api_tokens', SqlBool>

/** A condition for the rows of tokens in a state. */
export function isInState(state: TokenState, { now }: Pick<Database, 'now'>): Condition {
  return (row) => {
    if (state === 'revoked') return row('revoked_at', 'is not', null)
    const isExpired = row.and([row('revoked_at', 'is', null), row('expires_at', '<=', now)])
    if (state === 'expired') return isExpired
    const isUnexpired = row.or([row('expires_at', 'is', null), row('expires_at', '>', now)])
    return row.and([row('revoked_at', 'is', null), isUnexpired])
  }
}

/** Makes room for a new token of a project. @throws TooManyTokensError */
export async function makeRoom(
  database: Database,
  transaction: Transaction<Tables>,
  project: string,
): Promise<void> {
  await removeOld(database, transaction, project)
  const { count } = await transaction
    .selectFrom('api_tokens')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('project', '=', project)
    .where(isInState('usable', database))
    .executeTakeFirstOrThrow()
  if (Number(count) < MAX_USABLE) return
  throw new TooManyTokensError(
    `the project ${project} has ${MAX_USABLE} usable tokens; revoke those that nobody needs`,
  )
}

async function removeOld(
  database: Database,
  transaction: Transaction<Tables>,
  project: string,
): Promise<void> {
  const cutoff = msAgo(database, ENDED_MS)
  await transaction
    .deleteFrom('api_tokens')
    .where('project', '=', project)
    .where((row) => row.or([row('revoked_at', '<', cutoff), row('expires_at', '<', cutoff)]))
    .execute()
  const superfluous = transaction
    .selectFrom('api_tokens')
    .select('id')
    .where('project', '=', project)
    .where((row) => row.or([row('revoked_at', 'is not', null), row('expires_at', '<=', database.now)]))
    .orderBy('id', 'desc')
    .limit(REMOVED_AT_ONCE)
    .offset(MAX_ENDED)
  await transaction.deleteFrom('api_tokens').where('id', 'in', superfluous).execute()
}
