import { LayerError } from './errors.ts'
import type { Named } from './layer-index.ts'
import { ancestorsOf, cleanName } from './names.ts'
import { quote } from './tar-header.ts'

/** What an archive's order says about its names. Arrays go by entry number. */
export type Inodes = {
  /** Whether the name still stands for this entry when the archive is unpacked to its end. */
  stands: boolean[]
  /** The entry that made the file: itself, but for hard links. */
  made: number[]
  /** For a hard link the entry it names; otherwise itself. */
  target: number[]
  /** The entry under whose name a file is listed: the one that made it, or a hard link that outlived it. -1: none. */
  home: number[]
  /** Entries that lost their name to a later one, by the name that took it. */
  lost: Map<string, number[]>
}

/**
 * Works out hard links and names that occur twice, as unpacking would: a later entry takes the name, hard
 * links made before keep the file, and a file in the place of a directory takes all that was in it.
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET
 */
export function inodesOf(entries: readonly Named[]): Inodes {
  const latest = new Map<string, number>()
  /** The first entry of names that occur twice. */
  const first = new Map<string, number>()
  /** Directories that something else replaced, and the number of the last entry that did. */
  const replaced = new Map<string, number>()
  const target = entries.map((entry, i) => {
    let found = i
    if (entry.type === 'hardlink') found = latest.get(cleanName(entry.linkName ?? '')) ?? -1
    const before = latest.get(entry.name)
    if (before !== undefined) {
      if (!first.has(entry.name)) first.set(entry.name, before)
      if (entries[before]?.type === 'dir' && entry.type !== 'dir') replaced.set(entry.name, i)
    }
    latest.set(entry.name, i)
    return found
  })
  for (const [i, entry] of entries.entries()) {
    // Archives exist that name a hard link before its target.
    if (target[i] !== -1) continue
    const name = cleanName(entry.linkName ?? '')
    target[i] = first.get(name) ?? latest.get(name) ?? -1
  }
  const made = followLinks(entries, target)

  const lost = new Map<string, number[]>()
  const unique = latest.size === entries.length
  const stands = entries.map((entry, i) => {
    if (unique) return true
    const taker = latest.get(entry.name) === i ? takenWith(entry.name, i, replaced) : entry.name
    if (taker !== undefined) append(lost, taker, i)
    return taker === undefined
  })
  const home = entries.map((_, i) => (stands[i] && made[i] === i ? i : -1))
  for (const [i, source] of made.entries()) if (home[source] === -1 && stands[i]) home[source] = i
  return { stands, made, target, home, lost }
}

function takenWith(name: string, entry: number, replaced: Map<string, number>): string | undefined {
  if (replaced.size === 0) return undefined
  for (const above of ancestorsOf(name)) if ((replaced.get(above) ?? -1) > entry) return above
  return undefined
}

function followLinks(entries: readonly Named[], target: readonly number[]): number[] {
  const made = entries.map((entry, i) => (entry.type === 'hardlink' ? -1 : i))
  for (const [i, entry] of entries.entries()) {
    if (made[i] !== -1) continue
    const path: number[] = []
    let at = i
    const seen = new Set<number>()
    while (made[at] === -1) {
      if (seen.has(at)) {
        throw new LayerError('HARD_LINK_CYCLE', `the hard link ${quote(entry.name)} leads back to itself`, {
          entry: entry.name,
        })
      }
      seen.add(at)
      path.push(at)
      const next = target[at] ?? -1
      if (next === -1) throw noTarget(entries[at])
      at = next
    }
    const end = made[at] ?? at
    if (entries[end]?.type === 'dir') throw noTarget(entries[path.at(-1) ?? i], 'a directory')
    for (const link of path) made[link] = end
  }
  return made
}

function noTarget(entry: Named | undefined, what = 'not in the layer'): LayerError {
  const name = entry?.name ?? ''
  return new LayerError(
    'HARD_LINK_TARGET',
    `the hard link ${quote(name)} names ${quote(entry?.linkName ?? '')}, which is ${what}`,
    { entry: name },
  )
}

function append(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
