import { sql, type Transaction } from 'kysely'
import { inMs } from '../../db/moments.ts'
import type { Database } from '../../db/open.ts'
import type { Tables } from '../../db/tables.ts'
import { RUNNING } from '../rows.ts'

/** Any number serves; it is the same in all processes. */
const CLAIM_LOCK = 5_381_001

/** How many jobs with a registry may run at once, in all workers together; undefined: as many as there are. */
export type RegistryLimits = (host: string) => number | undefined

/**
 * Registries that have as many jobs as they may have. Within the transaction of a claim, so that what was counted stays
 * true until the claim is written.
 */
export async function fullHosts(
  database: Database,
  transaction: Transaction<Tables>,
  limits: RegistryLimits,
): Promise<string[]> {
  // SQLite has one writer at a time anyway.
  if (database.engine === 'postgres') {
    await sql`select pg_advisory_xact_lock(${sql.lit(CLAIM_LOCK)})`.execute(transaction)
  }
  const running = await transaction
    .selectFrom('jobs')
    .select(['source_host', 'target_host'])
    .where('state', '=', RUNNING)
    .execute()
  const jobs = new Map<string, number>()
  for (const { source_host, target_host } of running) {
    for (const host of new Set([source_host, target_host])) jobs.set(host, (jobs.get(host) ?? 0) + 1)
  }
  return [...jobs].flatMap(([host, count]) =>
    count >= (limits(host) ?? Number.POSITIVE_INFINITY) ? [host] : [],
  )
}

/** Lets no job with this registry begin for so long. */
export async function pauseHost(database: Database, host: string, ms: number): Promise<void> {
  const until = inMs(database, ms)
  await database.query
    .insertInto('host_pauses')
    .values({ host, until })
    .onConflict((conflict) => conflict.column('host').doUpdateSet({ until }))
    .execute()
}
