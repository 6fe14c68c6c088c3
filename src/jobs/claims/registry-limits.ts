import type { Transaction } from 'kysely'
import type { Database } from '../../db/database.ts'
import { lockUntilCommit } from '../../db/postgres/lock-until-commit.ts'
import { msFromNow } from '../../db/sql-time.ts'
import type { Tables } from '../../db/tables.ts'
import { RUNNING } from '../rows.ts'

/** An arbitrary key of an advisory lock, the same in all processes. */
const CLAIM_LOCK = 5_381_001

/** Returns how many jobs with a registry may run at once in all workers together; undefined: any number. */
export type RegistryLimits = (host: string) => number | undefined

/**
 * Returns the limits of settings; undefined if there are none.
 * @param limits by host; `*` is every other host
 */
export function registryLimitsOf(limits: ReadonlyMap<string, number>): RegistryLimits | undefined {
  return limits.size === 0 ? undefined : (host) => limits.get(host) ?? limits.get('*')
}

/**
 * Returns the registries that have reached their limit of running jobs. Part of the transaction of a claim: a
 * lock keeps the counts valid until the claim is written.
 */
export async function findHostsAtLimit(
  database: Database,
  transaction: Transaction<Tables>,
  limits: RegistryLimits,
): Promise<string[]> {
  await lockUntilCommit(database, transaction, CLAIM_LOCK)
  const running = await transaction
    .selectFrom('jobs')
    .select(['source_host', 'target_host'])
    .where('state', '=', RUNNING)
    .execute()
  return [...countByHost(running)].flatMap(([host, count]) =>
    count >= (limits(host) ?? Number.POSITIVE_INFINITY) ? [host] : [],
  )
}

/** Counts jobs by registry. A job whose source and target have the same registry counts once. */
export function countByHost(
  jobs: readonly { readonly source_host: string; readonly target_host: string }[],
): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { source_host, target_host } of jobs) {
    for (const host of new Set([source_host, target_host])) counts.set(host, (counts.get(host) ?? 0) + 1)
  }
  return counts
}

/** Prevents jobs with this registry from starting for `ms` milliseconds. */
export async function pauseHost(database: Database, host: string, ms: number): Promise<void> {
  const until = msFromNow(database, ms)
  await database.query
    .insertInto('host_pauses')
    .values({ host, until })
    .onConflict((conflict) => conflict.column('host').doUpdateSet({ until }))
    .execute()
}
