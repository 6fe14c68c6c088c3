import type { NameTable } from '../../bytes/name-table.ts'
import { resolveInodes } from '../../rootfs/inodes.ts'
import { entryAt, type LayerListing } from '../../rootfs/layer-listing.ts'
import { isWhiteout, OPAQUE_WHITEOUT, WHITEOUT_PREFIX } from '../../rootfs/whiteouts.ts'
import { ancestorsOf, baseOf, cleanName, parentOf } from '../../tar/names.ts'
import type { LandmarkKind } from '../blob-format.ts'

/** An order of a layer's entries, with the position of the landmark. */
export type Arrangement = {
  /** Every entry number once. */
  order: number[]
  landmark: LandmarkKind
  /**
   * The number of entries before the landmark. Readers look up the no-prefetch landmark by name, so it may be
   * anywhere; at the end, the archive starts with the same bytes as its source.
   */
  landmarkIndex: number
  /** The prioritized names that the layer has: clean, in order, without duplicates. */
  prioritizedNames: string[]
}

/**
 * Moves prioritized entries to the front in access order, each after its parent directories and its hard
 * link's target. The landmark follows, then the other entries in source order. Applying the result creates
 * the same files: entries that a prioritized entry replaces, and whiteouts of it or its parents, stay before
 * it.
 * @param entries in source order
 * @param prioritized resolved names of entries; whiteouts and names that the layer does not have are ignored
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET
 */
export function arrangeEntries(entries: LayerListing, prioritized: readonly string[]): Arrangement {
  const front = new FrontEntries(entries)
  const prioritizedNames = new Set<string>()
  for (const path of prioritized) {
    const name = cleanName(path)
    if (!isWhiteout(name) && front.moveToFront(name)) prioritizedNames.add(name)
  }
  front.release()
  const order = [...front.order]
  for (let i = 0; i < entries.length; i++) if (!front.order.has(i)) order.push(i)
  const hasPrioritized = prioritizedNames.size > 0
  return {
    order,
    landmark: hasPrioritized ? 'prefetch' : 'no-prefetch',
    landmarkIndex: hasPrioritized ? front.order.size : order.length,
    prioritizedNames: [...prioritizedNames],
  }
}

/** The entries at the front of an archive: prioritized entries and the entries that they depend on. */
class FrontEntries {
  /** Entry numbers in their new order. */
  readonly order = new Set<number>()
  readonly #entries: LayerListing
  readonly #byName: NameTable
  readonly #linkTarget: Int32Array
  /**
   * By name: entries that lost it to a later entry, and hard links to these. They must stay before that
   * entry.
   */
  readonly #overridden: ReadonlyMap<string, number[]>

  constructor(entries: LayerListing) {
    this.#entries = entries
    const { linkTarget, isEffective, overridden, names } = resolveInodes(entries)
    this.#byName = names
    this.#linkTarget = linkTarget
    this.#overridden = overridden
    if (overridden.size === 0) return
    const overridingName = new Map<number, string>()
    for (const [name, losers] of overridden) for (const loser of losers) overridingName.set(loser, name)
    for (const [i, target] of linkTarget.entries()) {
      if (target !== i && !isEffective[target]) overridden.get(overridingName.get(target) ?? '')?.push(i)
    }
  }

  /** Moves an entry and its dependencies to the front. Returns whether the layer has the entry. */
  moveToFront(name: string): boolean {
    const entry = this.#byName.get(name)
    if (entry === undefined) return false
    // Not recursive: chains of hard links can be longer than the call stack.
    const visited = new Set<number>()
    const stack = [entry]
    for (let i = stack.at(-1); i !== undefined; i = stack.at(-1)) {
      if (this.order.has(i)) {
        stack.pop()
      } else if (visited.has(i)) {
        this.order.add(i)
        stack.pop()
      } else {
        visited.add(i)
        stack.push(
          ...this.#dependenciesOf(i)
            .filter((dependency) => !visited.has(dependency) && !this.order.has(dependency))
            .reverse(),
        )
      }
    }
    return true
  }

  /** Frees the memory of the names at once. No entry can be moved afterwards. */
  release(): void {
    this.#byName.release()
  }

  /** Returns the entries that must precede an entry, in order. */
  #dependenciesOf(i: number): number[] {
    const dependencies: number[] = []
    const add = (dependency: number | undefined) => {
      if (dependency !== undefined && dependency !== i) dependencies.push(dependency)
    }
    /** Adds an entry only if it precedes this one in the source. */
    const addEarlier = (dependency: number | undefined) => {
      if (dependency !== undefined && dependency < i) dependencies.push(dependency)
    }
    const { name } = entryAt(this.#entries, i)
    if (name !== '') add(this.#byName.get(''))
    for (const ancestor of ancestorsOf(name)) {
      this.#addWhiteouts(ancestor, addEarlier)
      add(this.#byName.get(ancestor))
    }
    this.#addWhiteouts(name, addEarlier)
    for (const overridden of this.#overridden.get(name) ?? []) addEarlier(overridden)
    add(this.#linkTarget[i])
    return dependencies
  }

  /**
   * Adds the whiteouts that hide a name. Runtimes may apply them to entries that precede them in the same
   * layer.
   */
  #addWhiteouts(name: string, add: (dependency: number | undefined) => void): void {
    if (isWhiteout(name)) return
    const parent = parentOf(name)
    const prefix = parent === '' ? '' : `${parent}/`
    add(this.#byName.get(prefix + OPAQUE_WHITEOUT))
    add(this.#byName.get(prefix + WHITEOUT_PREFIX + baseOf(name)))
  }
}
