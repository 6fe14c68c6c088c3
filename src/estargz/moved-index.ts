import type { Chunk, HeaderMember, LayerEntry, LayerIndex } from './layer-index.ts'
import type { MemberPlace } from './member-reader.ts'

/** The index of a split layer, for members that were copied or made anew in another order. */
export class MovedIndex {
  readonly #source: LayerIndex
  readonly #places = new Map<number, LayerEntry['header']>()
  readonly #offsets = new Map<Chunk, number>()
  readonly #headers: HeaderMember[] = []

  constructor(source: LayerIndex) {
    this.#source = source
  }

  /** A chunk's member begins here now. */
  chunk(chunk: Chunk, offset: number): void {
    this.#offsets.set(chunk, offset)
  }

  /** The headers of these entries, by number, make this member. */
  headers(entries: readonly number[], place: MemberPlace): void {
    // Only a member of neighbours can be copied as a whole once more.
    const [first = 0] = entries
    this.#add(entries, place, entries.every((i, n) => i === first + n) ? entries.length : 0)
  }

  /** The headers of these entries begin this member, and others follow. */
  headersBefore(entries: readonly number[], place: MemberPlace): void {
    this.#add(entries, place, 0)
  }

  #add(entries: readonly number[], { offset, length }: MemberPlace, whole: number): void {
    const [firstEntry = 0] = entries
    let start = 0
    for (const i of entries) {
      const size = this.#source.entries[i]?.header.length ?? 0
      this.#places.set(i, { member: this.#headers.length, start, length: size })
      start += size
    }
    this.#headers.push({ offset, length, plainLength: start, firstEntry, entries: whole })
  }

  finish(): LayerIndex {
    const entries = this.#source.entries.map((entry, i): LayerEntry => {
      const header = this.#places.get(i)
      if (!header) throw new RangeError(`entry ${i} was not written`)
      const chunks = entry.chunks?.map((chunk) => ({
        ...chunk,
        offset: this.#offsets.get(chunk) ?? chunk.offset,
      }))
      return { ...entry, header, ...(chunks && { chunks }) }
    })
    return { ...this.#source, entries, headers: this.#headers }
  }
}
