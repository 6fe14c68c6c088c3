import type { LayerListing } from './layer-listing.ts'
import { hashOf } from './text-hash.ts'

const NONE = -1

/**
 * Finds the entries of a layer by name. A map would hold all names; here an entry is a few numbers, and its name is
 * asked for when it is likely to be the right one.
 */
export class NameTable {
  readonly #listing: LayerListing
  readonly #hashes: Int32Array<ArrayBuffer>
  /** The first entry of each name, at its hash or at the next free place. */
  readonly #slots: Int32Array<ArrayBuffer>
  /** For the first entry of a name, the last one. */
  readonly #last: Int32Array<ArrayBuffer>

  constructor(listing: LayerListing) {
    this.#listing = listing
    this.#hashes = new Int32Array(listing.length)
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * listing.length + 1))).fill(NONE)
    this.#last = new Int32Array(listing.length).fill(NONE)
    for (let i = 0; i < listing.length; i++) this.#add(i)
  }

  /** The entry that a name stands for: the last of its duplicates. */
  get(name: string): number | undefined {
    const first = this.#slots[this.#slotOf(name, hashOf(name))] ?? NONE
    return first === NONE ? undefined : this.#last[first]
  }

  /** The entry that each name stands for, in the order of the names' first entries. */
  *standing(): Generator<number, void, void> {
    for (const last of this.#last) if (last !== NONE) yield last
  }

  /** Gives its memory back at once: it is empty afterwards, and not to be used. */
  release(): void {
    for (const { buffer } of [this.#hashes, this.#slots, this.#last]) buffer.transfer(0)
  }

  #add(i: number): void {
    const name = this.#listing.at(i)?.name ?? ''
    const hash = hashOf(name)
    this.#hashes[i] = hash
    const slot = this.#slotOf(name, hash)
    if (this.#slots[slot] === NONE) this.#slots[slot] = i
    this.#last[this.#slots[slot] ?? i] = i
  }

  /** Where a name is, or would be: at most half of the places are taken. */
  #slotOf(name: string, hash: number): number {
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const first = this.#slots[slot] ?? NONE
      if (first === NONE) return slot
      if (this.#hashes[first] === hash && this.#listing.at(first)?.name === name) return slot
    }
  }
}
