import type { Database } from '../db/database.ts'
import { msAgo } from '../db/sql-time.ts'
import type { Digest } from '../oci/digest.ts'
import { CACHE_TABLES, type CacheTable, removeMissing } from './cache-tables.ts'

/** How long a check is valid. Conversions check the entries that they reuse in any case. */
const CHECK_INTERVAL_MS = 86_400_000
/** The number of entries of each table that one call checks. */
const BATCH_SIZE = 50

/** Where the content of an entry is stored, and the project whose credentials read it. */
export type CachedLocation = {
  readonly project: string
  readonly host: string
  readonly repository: string
  readonly digest: Digest
}

/**
 * Returns the size of content in bytes, or undefined if the registry does not have it. Throws if the registry
 * fails.
 */
export type SizeProbe = (kind: ContentKind, location: CachedLocation) => Promise<number | undefined>

type ContentKind = 'blob' | 'manifest'

const CONTENT_KINDS = { converted_layers: 'blob', converted_images: 'manifest' } as const

/**
 * Checks a batch of entries that were not checked for a day, and deletes those whose blobs or manifests are
 * gone. Several processes can do this at once. If a registry fails, its entries are checked again the next
 * day.
 * @param signal stops after the current entry; the rest of the batch counts as checked for a day
 * @returns the number of entries checked, and how many of them are gone; `checked` is 0 if no entry is due
 */
export async function checkEntries(
  database: Database,
  probe: SizeProbe,
  signal: AbortSignal,
): Promise<{ readonly checked: number; readonly gone: number }> {
  let checked = 0
  let gone = 0
  for (const table of CACHE_TABLES) {
    if (signal.aborted) break
    for (const { exact_key, size, ...location } of await claimDue(database, table)) {
      if (signal.aborted) break
      checked++
      if (await isStored(probe, CONTENT_KINDS[table], location, size)) continue
      await removeMissing(database, table, exact_key)
      gone++
    }
  }
  return { checked, gone }
}

/** Whether a registry has content of this size. A registry that fails counts as having it. */
async function isStored(
  probe: SizeProbe,
  kind: ContentKind,
  location: CachedLocation,
  size: number,
): Promise<boolean> {
  try {
    return (await probe(kind, location)) === size
  } catch {
    return true
  }
}

/** Marks a batch of due entries as checked, so that no other process checks them. */
async function claimDue(
  { query, now, engine }: Database,
  table: CacheTable,
): Promise<(CachedLocation & { readonly exact_key: string; readonly size: number })[]> {
  const due = query
    .selectFrom(table)
    .select('exact_key')
    .where('checked_at', '<', msAgo({ now }, CHECK_INTERVAL_MS))
    .orderBy('checked_at')
    .limit(BATCH_SIZE)
  // SQLite allows only one writer at a time, so rows need no locks.
  const claimable = engine === 'postgres' ? due.forUpdate().skipLocked() : due
  const rows = await query
    .updateTable(table)
    .set({ checked_at: now })
    .where('exact_key', 'in', claimable)
    .returning(['exact_key', 'project', 'size', 'host', 'repository', 'digest'])
    .execute()
  return rows.map((row) => ({ ...row, digest: row.digest as Digest }))
}
