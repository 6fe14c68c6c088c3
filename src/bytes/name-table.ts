import { hashOf } from './text-hash.ts'

const NONE = -1

/**
 * Finds numbered entries by name. A map would hold all names; here an entry is a few numbers, and its name is asked for
 * when it is likely to be the right one.
 */
export class NameTable {
  readonly #nameOf: (i: number) => string
  readonly #hashes: Int32Array<ArrayBuffer>
  /** The first entry of each name, at its hash or at the next free place. */
  readonly #slots: Int32Array<ArrayBuffer>
  /** For the first entry of a name, the last one. */
  readonly #last: Int32Array<ArrayBuffer>
  #size = 0

  /**
   * An empty table.
   * @param length entries are numbered below this
   */
  constructor(length: number, nameOf: (i: number) => string) {
    this.#nameOf = nameOf
    this.#hashes = new Int32Array(length)
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * length + 1))).fill(NONE)
    this.#last = new Int32Array(length).fill(NONE)
  }

  /** How many names there are. */
  get size(): number {
    return this.#size
  }

  /**
   * Adds an entry under its name.
   * @returns the last one that had it before
   */
  add(i: number, name = this.#nameOf(i)): number | undefined {
    const hash = hashOf(name)
    const slot = this.#slotOf(name, hash)
    const first = this.#slots[slot] ?? NONE
    if (first === NONE) {
      this.#hashes[i] = hash
      this.#slots[slot] = i
      this.#last[i] = i
      this.#size += 1
      return undefined
    }
    const before = this.#last[first]
    this.#last[first] = i
    return before
  }

  /** The last entry of a name. */
  get(name: string): number | undefined {
    const first = this.first(name)
    return first === undefined ? undefined : this.#last[first]
  }

  /** The first entry of a name. */
  first(name: string): number | undefined {
    const first = this.#slots[this.#slotOf(name, hashOf(name))] ?? NONE
    return first === NONE ? undefined : first
  }

  /** The last entry of each name, in the order of the names' first entries. */
  *standing(): Generator<number, void, void> {
    for (const last of this.#last) if (last !== NONE) yield last
  }

  /** Gives its memory back at once: it is empty afterwards, and not to be used. */
  release(): void {
    for (const { buffer } of [this.#hashes, this.#slots, this.#last]) buffer.transfer(0)
  }

  /** Where a name is, or would be: at most half of the places are taken. */
  #slotOf(name: string, hash: number): number {
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const first = this.#slots[slot] ?? NONE
      if (first === NONE) return slot
      if (this.#hashes[first] === hash && this.#nameOf(first) === name) return slot
    }
  }
}
