import { NameTable } from '../bytes/name-table.ts'
import { ancestorsOf, cleanName } from '../tar/names.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'
import { isReservedName } from './reserved-names.ts'
import type { Steps } from './steps.ts'
import { isWhiteout } from './whiteouts.ts'

/** What an archive's order says about its names. Rows go by entry number. */
export type EffectiveNames = {
  readonly names: NameTable
  /** Whether the name still stands for this entry when the archive is unpacked to its end: 1, or 0. */
  readonly stands: Uint8Array
  /** Whether the name is that of no file: a whiteout's, one of the format's own, or the root's: 1, or 0. */
  readonly isSpecial: Uint8Array
  /** For a hard link the entry it names, or -1 where the layer has none; otherwise itself. */
  readonly target: Int32Array
  /** Entries that lost their name to a later one, by the name that took it. */
  readonly lost: ReadonlyMap<string, number[]>
}

/**
 * Works out names that occur twice, as unpacking would: a later entry takes the name, and a file in the place of a
 * directory takes all that was in it. A hard link names what has its target's name when it comes.
 * @param steps left out: nobody counts them
 */
export function effectiveNames(layer: LayerListing, steps?: Steps): EffectiveNames {
  const names = new NameTable(layer.length, (i) => entryAt(layer, i).name)
  /** Directories that something else replaced, and the number of the last entry that did. */
  const replaced = new Map<string, number>()
  const target = new Int32Array(layer.length)
  const isSpecial = new Uint8Array(layer.length)
  for (const i of target.keys()) {
    const { name, type, linkName } = entryAt(layer, i)
    target[i] = type === 'hardlink' ? (names.get(cleanName(linkName ?? '')) ?? -1) : i
    if (name === '' || isWhiteout(name) || isReservedName(name)) isSpecial[i] = 1
    const before = names.add(i, name)
    if (before !== undefined && type !== 'dir' && entryAt(layer, before).type === 'dir') replaced.set(name, i)
  }
  for (const i of target.keys()) {
    // Archives exist that name a hard link before its target.
    if (target[i] === -1) target[i] = names.first(cleanName(entryAt(layer, i).linkName ?? '')) ?? -1
  }

  const lost = new Map<string, number[]>()
  const stands = new Uint8Array(layer.length).fill(1)
  if (names.size < layer.length) {
    for (const i of stands.keys()) {
      const { name } = entryAt(layer, i)
      const taker = names.get(name) === i ? takenWith(name, i, replaced, steps) : name
      if (taker === undefined) continue
      append(lost, taker, i)
      stands[i] = 0
    }
  }
  return { names, stands, isSpecial, target, lost }
}

function takenWith(
  name: string,
  entry: number,
  replaced: ReadonlyMap<string, number>,
  steps: Steps | undefined,
): string | undefined {
  if (replaced.size === 0) return undefined
  for (const above of ancestorsOf(name)) {
    steps?.spend(1 + (above.length >> 4))
    if ((replaced.get(above) ?? -1) > entry) return above
  }
  return undefined
}

function append(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
