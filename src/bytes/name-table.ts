import { hashText } from './hash-text.ts'
import { OwnedMemory } from './owned-memory.ts'

const NONE = -1

type Arrays = {
  /** The hash of the name of each entry that is the first with its name. */
  readonly hashes: Int32Array<ArrayBuffer>
  /**
   * The first entry with each name, in the slot of its hash or in the next free one. At most half of the
   * slots are used.
   */
  readonly slots: Int32Array<ArrayBuffer>
  /** For the first entry with a name, the last entry with it. */
  readonly lastEntries: Int32Array<ArrayBuffer>
}

/**
 * A hash table that finds numbered entries by name. A map would hold every name in memory; here an entry
 * costs a few numbers, and the table requests an entry's name only when its hash matches.
 */
export class NameTable {
  readonly #nameOf: (entry: number) => string
  readonly #memory: OwnedMemory<Arrays>
  #size = 0

  /** Creates an empty table. @param length entries are numbered below this */
  constructor(length: number, nameOf: (entry: number) => string) {
    this.#nameOf = nameOf
    this.#memory = new OwnedMemory('name table', {
      hashes: new Int32Array(length),
      slots: new Int32Array(2 ** Math.ceil(Math.log2(2 * length + 1))).fill(NONE),
      lastEntries: new Int32Array(length).fill(NONE),
    })
  }

  /** The number of different names. */
  get size(): number {
    return this.#size
  }

  /** Adds an entry under its name. @returns the last entry that was added with this name before */
  add(entry: number, name = this.#nameOf(entry)): number | undefined {
    const arrays = this.#memory.arrays
    const { slots, lastEntries } = arrays
    const hash = hashText(name)
    const slot = this.#slotOf(arrays, name, hash)
    const first = slots[slot] ?? NONE
    if (first === NONE) {
      arrays.hashes[entry] = hash
      slots[slot] = entry
      lastEntries[entry] = entry
      this.#size += 1
      return undefined
    }
    const previous = lastEntries[first]
    lastEntries[first] = entry
    return previous
  }

  /** Returns the last entry with a name. */
  get(name: string): number | undefined {
    const arrays = this.#memory.arrays
    const first = arrays.slots[this.#slotOf(arrays, name, hashText(name))] ?? NONE
    return first === NONE ? undefined : arrays.lastEntries[first]
  }

  /** Returns the first entry with a name. */
  getFirst(name: string): number | undefined {
    const arrays = this.#memory.arrays
    const first = arrays.slots[this.#slotOf(arrays, name, hashText(name))] ?? NONE
    return first === NONE ? undefined : first
  }

  /** Yields the last entry with each name, in the order of the names' first entries. */
  *lastEntries(): Generator<number, void, void> {
    for (const last of this.#memory.arrays.lastEntries) if (last !== NONE) yield last
  }

  /** Returns its memory at once. Any later use throws. */
  release(): void {
    this.#memory.release()
  }

  /** Returns the slot of a name, or the free slot where it would be added. */
  #slotOf({ hashes, slots }: Arrays, name: string, hash: number): number {
    const mask = slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const first = slots[slot] ?? NONE
      if (first === NONE) return slot
      if (hashes[first] === hash && this.#nameOf(first) === name) return slot
    }
  }
}
