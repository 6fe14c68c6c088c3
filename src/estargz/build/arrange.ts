import type { NameTable } from '../../bytes/name-table.ts'
import { inodesOf } from '../../rootfs/inodes.ts'
import { entryAt, type LayerListing } from '../../rootfs/layer-listing.ts'
import { isWhiteout, OPAQUE_WHITEOUT, WHITEOUT_PREFIX } from '../../rootfs/whiteouts.ts'
import { ancestorsOf, baseOf, cleanName, parentOf } from '../../tar/names.ts'

/** An order of a layer's entries, and where its landmark stands. */
export type Arrangement = {
  /** Every entry number once. */
  order: number[]
  landmark: 'prefetch' | 'no-prefetch'
  /**
   * How many entries of the order come before the landmark. Where the landmark of no prioritized files stands is free
   * (readers look it up); last, the archive begins as its source did.
   */
  landmarkAfter: number
  /** The prioritized names that are in this layer, clean, in their order, each once. */
  placed: string[]
}

/**
 * Brings the prioritized entries to the front, in access order, each after its parent directories and its
 * hard link's target; then comes the landmark, then the rest in source order. Unpacking the result gives the
 * same tree: what an entry replaces and the whiteouts above it stay before it.
 * @param entries in source order
 * @param prioritized names of entries, already resolved; names that are not in the layer are passed over, and
 *   so are whiteouts
 * @throws LayerError HARD_LINK_CYCLE, HARD_LINK_TARGET
 */
export function arrange(entries: LayerListing, prioritized: readonly string[]): Arrangement {
  const front = new Front(entries)
  const placed = new Set<string>()
  for (const path of prioritized) {
    const name = cleanName(path)
    if (!isWhiteout(name) && front.bring(name)) placed.add(name)
  }
  front.release()
  const order = [...front.order]
  for (let i = 0; i < entries.length; i++) if (!front.order.has(i)) order.push(i)
  return {
    order,
    landmark: placed.size > 0 ? 'prefetch' : 'no-prefetch',
    landmarkAfter: placed.size > 0 ? front.order.size : order.length,
    placed: [...placed],
  }
}

class Front {
  /** Entry numbers in the order they were brought forward. */
  readonly order = new Set<number>()
  readonly #entries: LayerListing
  readonly #byName: NameTable
  readonly #target: Int32Array
  /** What must stay before the entry that takes a name. */
  readonly #before: ReadonlyMap<string, number[]>

  constructor(entries: LayerListing) {
    this.#entries = entries
    const { target, stands, lost, names } = inodesOf(entries)
    this.#byName = names
    this.#target = target
    this.#before = lost
    if (lost.size === 0) return
    const taker = new Map<number, string>()
    for (const [name, losers] of lost) for (const loser of losers) taker.set(loser, name)
    for (const [i, source] of target.entries()) {
      if (source !== i && !stands[source]) lost.get(taker.get(source) ?? '')?.push(i)
    }
  }

  /** Brings an entry forward after all that it needs. Whether the layer has it. */
  bring(name: string): boolean {
    const wanted = this.#byName.get(name)
    if (wanted === undefined) return false
    // A stack of our own: chains of hard links can be longer than the call stack.
    const entered = new Set<number>()
    const stack = [wanted]
    for (let i = stack.at(-1); i !== undefined; i = stack.at(-1)) {
      if (this.order.has(i)) {
        stack.pop()
      } else if (entered.has(i)) {
        this.order.add(i)
        stack.pop()
      } else {
        entered.add(i)
        stack.push(
          ...this.#needs(i)
            .filter((need) => !entered.has(need) && !this.order.has(need))
            .reverse(),
        )
      }
    }
    return true
  }

  /** Gives the memory of its names back at once: nothing can be brought forward afterwards. */
  release(): void {
    this.#byName.release()
  }

  /** The entries that come before an entry, in their order. */
  #needs(i: number): number[] {
    const needs: number[] = []
    const add = (need: number | undefined, evenLater: boolean) => {
      if (need !== undefined && need !== i && (evenLater || need < i)) needs.push(need)
    }
    const name = entryAt(this.#entries, i).name
    if (name !== '') add(this.#byName.get(''), true)
    for (const above of ancestorsOf(name)) {
      this.#addWhiteouts(above, (need) => add(need, false))
      add(this.#byName.get(above), true)
    }
    this.#addWhiteouts(name, (need) => add(need, false))
    for (const need of this.#before.get(name) ?? []) add(need, false)
    add(this.#target[i], true)
    return needs
  }

  /** Runtimes may apply a whiteout to what the same layer put there before it. */
  #addWhiteouts(name: string, add: (need: number | undefined) => void): void {
    if (isWhiteout(name)) return
    const parent = parentOf(name)
    const inParent = parent === '' ? '' : `${parent}/`
    add(this.#byName.get(inParent + OPAQUE_WHITEOUT))
    add(this.#byName.get(inParent + WHITEOUT_PREFIX + baseOf(name)))
  }
}
