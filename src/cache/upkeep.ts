import { msAgo } from '../db/moments.ts'
import type { Database } from '../db/open.ts'
import type { Digest } from '../oci/digest.ts'
import { CACHE_TABLES, type CacheTable, forgetGone } from './entries.ts'

/** How long the registry's word is believed; what is used is asked for then anyway. */
const CHECK_EVERY_MS = 86_400_000
/** Entries that are looked at in one go. */
const BATCH = 50

/** Where something lies that is remembered. */
export type Place = { readonly host: string; readonly repository: string; readonly digest: Digest }

/** Asks a registry for the size in bytes of what it has; undefined when it has it not. Fails when that cannot be found out. */
export type Probe = (kind: 'blob' | 'manifest', place: Place) => Promise<number | undefined>

const ASKED_FOR = { converted_layers: 'blob', converted_images: 'manifest' } as const

/**
 * Forgets entries of the cache whose blobs or manifests are gone, some at a time: those that were not looked at for a day.
 * Several processes may do so at once. A registry that does not answer is asked the next day.
 * @param signal ends it between two of them; what was taken and not looked at by then is believed for a day, too
 * @returns how many were looked at, and how many of them are gone; when none was, all are fresh
 */
export async function checkEntries(
  database: Database,
  probe: Probe,
  signal: AbortSignal,
): Promise<{ readonly checked: number; readonly gone: number }> {
  let checked = 0
  let gone = 0
  for (const table of CACHE_TABLES) {
    if (signal.aborted) break
    for (const { exact_key, size, ...place } of await takeDue(database, table)) {
      if (signal.aborted) break
      checked++
      if ((await sizeOf(probe, ASKED_FOR[table], place, size)) === size) continue
      await forgetGone(database, table, exact_key)
      gone++
    }
  }
  return { checked, gone }
}

/** What cannot be found out is believed. */
async function sizeOf(
  probe: Probe,
  kind: 'blob' | 'manifest',
  place: Place,
  believed: number,
): Promise<number | undefined> {
  try {
    return await probe(kind, place)
  } catch {
    return believed
  }
}

/** Takes entries that are due, so that no other process does. */
async function takeDue(
  { query, now, engine }: Database,
  table: CacheTable,
): Promise<(Place & { readonly exact_key: string; readonly size: number })[]> {
  const due = query
    .selectFrom(table)
    .select('exact_key')
    .where('checked_at', '<', msAgo({ now }, CHECK_EVERY_MS))
    .orderBy('checked_at')
    .limit(BATCH)
  // SQLite has one writer at a time.
  const mine = engine === 'postgres' ? due.forUpdate().skipLocked() : due
  const rows = await query
    .updateTable(table)
    .set({ checked_at: now })
    .where('exact_key', 'in', mine)
    .returning(['exact_key', 'size', 'host', 'repository', 'digest'])
    .execute()
  return rows.map((row) => ({ ...row, digest: row.digest as Digest }))
}
