import type { LayerIndex } from '../index/layer-index.ts'
import type { MemberReader } from './member-reader.ts'

/** Header members kept decoded. At about 64 KiB each this is a few MiB, and neighbours are asked for together. */
const KEPT = 64

/** Reads raw headers of single entries back out of a layer's header members. */
export class HeaderReader {
  readonly #index: LayerIndex
  readonly #members: MemberReader
  readonly #decoded = new Map<number, Buffer>()

  constructor(index: LayerIndex, members: MemberReader) {
    this.#index = index
    this.#members = members
  }

  /** The raw headers of an entry, by its number. @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD */
  headerOf(i: number): Buffer {
    const { member, start, length } = this.#index.header(i)
    const plain = this.#decoded.get(member) ?? this.#decode(member)
    // A map keeps its order: what was asked for last goes last, what was not for long comes first.
    this.#decoded.delete(member)
    this.#decoded.set(member, plain)
    const oldest = this.#decoded.keys().next()
    if (this.#decoded.size > KEPT && !oldest.done) this.#decoded.delete(oldest.value)
    return plain.subarray(start, start + length)
  }

  #decode(member: number): Buffer {
    return this.#members.plain(this.#index.headerMember(member))
  }
}
