import { NameTable } from '../bytes/name-table.ts'
import { ancestorsOf, cleanName } from '../tar/names.ts'
import { entryAt, type LayerListing } from './layer-listing.ts'
import { isReservedName } from './reserved-names.ts'
import type { StepBudget } from './step-budget.ts'
import { isWhiteout } from './whiteouts.ts'

/** What the order of an archive means for its names. Arrays are indexed by entry number. */
export type EffectiveNames = {
  readonly names: NameTable
  /**
   * 1 if the entry still has its name when the archive is unpacked completely, or 0 if a later entry took it.
   */
  readonly isEffective: Uint8Array
  /**
   * 1 if the name is not that of a file in a directory: of a whiteout, of the eStargz format, or of the root.
   * Otherwise 0.
   */
  readonly isSpecial: Uint8Array
  /**
   * For a hard link the entry it links to, or -1 if the layer has none; for any other entry the entry itself.
   */
  readonly linkTarget: Int32Array<ArrayBuffer>
  /** The entries that lost their name to a later one, by the name of the later entry. */
  readonly overridden: ReadonlyMap<string, number[]>
}

/**
 * Resolves names that occur more than once, as unpacking does: a later entry takes the name, and an entry
 * that replaces a directory removes everything in it. A hard link links to the entry that has its target's
 * name at that time.
 * @param steps default: not counted
 */
export function resolveEffectiveNames(layer: LayerListing, steps?: StepBudget): EffectiveNames {
  const names = new NameTable(layer.length, (i) => entryAt(layer, i).name)
  /** Directories that something else replaced, with the number of the last entry that did. */
  const replacedDirectories = new Map<string, number>()
  const linkTarget = new Int32Array(layer.length)
  const isSpecial = new Uint8Array(layer.length)
  for (const i of linkTarget.keys()) {
    const { name, type, linkName } = entryAt(layer, i)
    linkTarget[i] = type === 'hardlink' ? (names.get(cleanName(linkName ?? '')) ?? -1) : i
    if (name === '' || isWhiteout(name) || isReservedName(name)) isSpecial[i] = 1
    const previous = names.add(i, name)
    if (previous !== undefined && type !== 'dir' && entryAt(layer, previous).type === 'dir') {
      replacedDirectories.set(name, i)
    }
  }
  for (const i of linkTarget.keys()) {
    // Some archives list a hard link before its target.
    if (linkTarget[i] === -1) {
      linkTarget[i] = names.getFirst(cleanName(entryAt(layer, i).linkName ?? '')) ?? -1
    }
  }

  const overridden = new Map<string, number[]>()
  const isEffective = new Uint8Array(layer.length).fill(1)
  if (names.size < layer.length) {
    for (const i of isEffective.keys()) {
      const { name } = entryAt(layer, i)
      const overriding = names.get(name) === i ? replacedAncestor(name, i, replacedDirectories, steps) : name
      if (overriding === undefined) continue
      append(overridden, overriding, i)
      isEffective[i] = 0
    }
  }
  return { names, isEffective, isSpecial, linkTarget, overridden }
}

/** Returns the topmost directory above an entry that a later entry replaced. */
function replacedAncestor(
  name: string,
  entry: number,
  replacedDirectories: ReadonlyMap<string, number>,
  steps: StepBudget | undefined,
): string | undefined {
  if (replacedDirectories.size === 0) return undefined
  for (const ancestor of ancestorsOf(name)) {
    steps?.spend(1 + (ancestor.length >> 4))
    if ((replacedDirectories.get(ancestor) ?? -1) > entry) return ancestor
  }
  return undefined
}

function append(map: Map<string, number[]>, key: string, value: number): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
