import type { IndexedChunk } from './archive-index.ts'
import { Column, newSharedColumn } from './columns.ts'
import type { IndexColumns } from './index-columns.ts'
import { LayerIndex } from './layer-index.ts'
import type { MemberLocation } from './member-location.ts'

/** Builds the index of a layer whose members were copied, or compressed again, in another order. */
export class RelocatedIndexBuilder {
  readonly #source: LayerIndex
  readonly #headerLength: (i: number) => number
  readonly #relocated: Pick<
    IndexColumns,
    'header' | 'headerStart' | 'chunkOffset' | 'chunkLength' | 'chunkInner'
  >
  readonly #members = {
    memberOffset: new Column(Float64Array),
    memberLength: new Column(Uint32Array),
    memberPlain: new Column(Uint32Array),
    memberFirst: new Column(Uint32Array),
    memberEntries: new Column(Uint32Array),
  }

  /**
   * @param headerLength returns the length of an entry's headers; added entries are numbered after the
   *   source's
   */
  constructor(source: LayerIndex, headerLength: (i: number) => number) {
    this.#source = source
    this.#headerLength = headerLength
    const { columns } = source.data
    const chunks = columns.chunkOffset.length
    this.#relocated = {
      header: newSharedColumn(Uint32Array, source.length),
      headerStart: newSharedColumn(Uint32Array, source.length),
      chunkOffset: newSharedColumn(Float64Array, chunks),
      chunkLength: newSharedColumn(Uint32Array, chunks),
      chunkInner: newSharedColumn(Uint32Array, chunks),
    }
  }

  /** Sets the new location of a chunk. */
  moveChunk({ row }: IndexedChunk, { offset, length }: MemberLocation, innerOffset = 0): void {
    this.#relocated.chunkOffset[row] = offset
    this.#relocated.chunkLength[row] = length
    this.#relocated.chunkInner[row] = innerOffset
  }

  /** Adds a member that holds the headers of these entries. */
  addHeaderMember(entries: readonly number[], location: MemberLocation): void {
    // Only a member of consecutive entries can be copied whole into another arrangement.
    const [first = 0] = entries
    const isConsecutive = entries.every((i, n) => i === first + n && i < this.#source.length)
    this.#addMember(entries, location, isConsecutive ? entries.length : 0)
  }

  /** Adds a member that starts with the headers of these entries and holds others after them. */
  addSharedMember(entries: readonly number[], location: MemberLocation): void {
    this.#addMember(entries, location, 0)
  }

  #addMember(
    entries: readonly number[],
    { offset, length }: MemberLocation,
    consecutiveEntries: number,
  ): void {
    // Other arrangements create added entries anew, so a member of these alone is not indexed.
    if (entries.every((i) => i >= this.#source.length)) return
    const members = this.#members
    const [firstEntry = 0] = entries
    let start = 0
    for (const i of entries) {
      if (i < this.#source.length) {
        this.#relocated.header[i] = members.memberOffset.length
        this.#relocated.headerStart[i] = start
      }
      start += this.#headerLength(i)
    }
    members.memberOffset.push(offset)
    members.memberLength.push(length)
    members.memberPlain.push(start)
    members.memberFirst.push(firstEntry)
    members.memberEntries.push(consecutiveEntries)
  }

  finish(): LayerIndex {
    const { columns, ...layer } = this.#source.data
    const { memberOffset, memberLength, memberPlain, memberFirst, memberEntries } = this.#members
    return new LayerIndex({
      ...layer,
      columns: {
        ...columns,
        ...this.#relocated,
        memberOffset: memberOffset.finish(),
        memberLength: memberLength.finish(),
        memberPlain: memberPlain.finish(),
        memberFirst: memberFirst.finish(),
        memberEntries: memberEntries.finish(),
      },
    })
  }
}
