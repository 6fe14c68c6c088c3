import { NameTable } from '../bytes/name-table.ts'
import { LayerError } from './errors.ts'
import { ancestorsOf, cleanName } from './names.ts'
import { type EntryType, quote } from './tar-header.ts'

/** The entries of an archive in its order, asked for by number: objects of all of them would take much memory. */
export interface Names {
  readonly length: number
  /** Clean. */
  name(i: number): string
  type(i: number): EntryType
  /** Of links, as the archive spells it. */
  linkName(i: number): string | undefined
}

/** What an archive's order says about its names. Rows go by entry number. */
export type Inodes = {
  /** Whether the name still stands for this entry when the archive is unpacked to its end: 1, or 0. */
  readonly stands: Uint8Array
  /** The entry that made the file: itself, but for hard links. */
  readonly made: Int32Array
  /** For a hard link the entry it names; otherwise itself. */
  readonly target: Int32Array
  /** The entry under whose name a file is listed: the one that made it, or a hard link that outlived it. -1: none. */
  readonly home: Int32Array
  /** Entries that lost their name to a later one, by the name that took it. */
  readonly lost: Map<string, number[]>
  readonly names: NameTable
}

/**
 * Works out hard links and names that occur twice, as unpacking would: a later entry takes the name, hard
 * links made before keep the file, and a file in the place of a directory takes all that was in it.
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET
 */
export function inodesOf(entries: Names): Inodes {
  const names = new NameTable(entries.length, (i) => entries.name(i))
  /** Directories that something else replaced, and the number of the last entry that did. */
  const replaced = new Map<string, number>()
  const target = new Int32Array(entries.length)
  for (const i of target.keys()) {
    const name = entries.name(i)
    const type = entries.type(i)
    target[i] = type === 'hardlink' ? (names.get(targetName(entries, i)) ?? -1) : i
    const before = names.add(i, name)
    if (before !== undefined && entries.type(before) === 'dir' && type !== 'dir') replaced.set(name, i)
  }
  for (const i of target.keys()) {
    // Archives exist that name a hard link before its target.
    if (target[i] === -1) target[i] = names.first(targetName(entries, i)) ?? -1
  }
  const made = followLinks(entries, target)

  const lost = new Map<string, number[]>()
  const stands = new Uint8Array(entries.length).fill(1)
  if (names.size < entries.length) {
    for (const i of stands.keys()) {
      const name = entries.name(i)
      const taker = names.get(name) === i ? takenWith(name, i, replaced) : name
      if (taker === undefined) continue
      append(lost, taker, i)
      stands[i] = 0
    }
  }
  const home = made.map((source, i) => (stands[i] === 1 && source === i ? i : -1))
  for (const [i, source] of made.entries()) if (home[source] === -1 && stands[i] === 1) home[source] = i
  return { stands, made, target, home, lost, names }
}

function targetName(entries: Names, i: number): string {
  return cleanName(entries.linkName(i) ?? '')
}

function takenWith(name: string, entry: number, replaced: Map<string, number>): string | undefined {
  if (replaced.size === 0) return undefined
  for (const above of ancestorsOf(name)) if ((replaced.get(above) ?? -1) > entry) return above
  return undefined
}

function followLinks(entries: Names, target: Int32Array): Int32Array {
  const made = target.map((_, i) => (entries.type(i) === 'hardlink' ? -1 : i))
  for (const i of made.keys()) {
    if (made[i] !== -1) continue
    const path: number[] = []
    let at = i
    const seen = new Set<number>()
    while (made[at] === -1) {
      if (seen.has(at)) {
        const name = entries.name(i)
        throw new LayerError('HARD_LINK_CYCLE', `the hard link ${quote(name)} leads back to itself`, {
          entry: name,
        })
      }
      seen.add(at)
      path.push(at)
      const next = target[at] ?? -1
      if (next === -1) throw noTarget(entries, at)
      at = next
    }
    const end = made[at] ?? at
    if (entries.type(end) === 'dir') throw noTarget(entries, path.at(-1) ?? i, 'a directory')
    for (const link of path) made[link] = end
  }
  return made
}

function noTarget(entries: Names, i: number, what = 'not in the layer'): LayerError {
  const name = entries.name(i)
  return new LayerError(
    'HARD_LINK_TARGET',
    `the hard link ${quote(name)} names ${quote(entries.linkName(i) ?? '')}, which is ${what}`,
    { entry: name },
  )
}

function append(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
