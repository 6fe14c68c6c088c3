import type { LayerIndex } from '../index/layer-index.ts'
import type { MemberReader } from './member-reader.ts'

/**
 * Header members cached uncompressed: a few MiB at about 64 KiB each. Consecutive reads mostly hit the same
 * members.
 */
const MAX_CACHED_MEMBERS = 64

/** Reads the raw headers of single entries from a layer's header members. */
export class HeaderReader {
  readonly #index: LayerIndex
  readonly #members: MemberReader
  /** Uncompressed members, least recently used first. */
  readonly #cached = new Map<number, Buffer>()

  constructor(index: LayerIndex, members: MemberReader) {
    this.#index = index
    this.#members = members
  }

  /** Returns the raw headers of an entry. @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD */
  readHeader(i: number): Buffer {
    const { member, start, length } = this.#index.headerLocation(i)
    const headers = this.#cached.get(member) ?? this.#members.decompress(this.#index.headerMember(member))
    // Maps iterate in insertion order, so inserting again marks the member as most recently used.
    this.#cached.delete(member)
    this.#cached.set(member, headers)
    const oldest = this.#cached.keys().next()
    if (this.#cached.size > MAX_CACHED_MEMBERS && !oldest.done) this.#cached.delete(oldest.value)
    return headers.subarray(start, start + length)
  }
}
