import type { MemberPlace } from '../build/member-reader.ts'
import type { Chunk, IndexColumns } from './archive-index.ts'
import { Column, newRows } from './columns.ts'
import { LayerIndex } from './layer-index.ts'

/** The index of a split layer, for members that were copied or made anew in another order. */
export class RelocatedIndex {
  readonly #source: LayerIndex
  readonly #headerLength: (i: number) => number
  readonly #moved: Pick<IndexColumns, 'header' | 'headerStart' | 'chunkOffset' | 'chunkLength' | 'chunkInner'>
  readonly #members = {
    memberOffset: new Column(Float64Array),
    memberLength: new Column(Uint32Array),
    memberPlain: new Column(Uint32Array),
    memberFirst: new Column(Uint32Array),
    memberEntries: new Column(Uint32Array),
  }

  /** @param headerLength of any entry that has a place, also of those that the index does not have */
  constructor(source: LayerIndex, headerLength: (i: number) => number) {
    this.#source = source
    this.#headerLength = headerLength
    const { columns } = source.data
    const chunks = columns.chunkOffset.length
    this.#moved = {
      header: newRows(Uint32Array, source.length),
      headerStart: newRows(Uint32Array, source.length),
      chunkOffset: newRows(Float64Array, chunks),
      chunkLength: newRows(Uint32Array, chunks),
      chunkInner: newRows(Uint32Array, chunks),
    }
  }

  /** A chunk lies here now. */
  chunk({ row }: Chunk, { offset, length }: MemberPlace, innerOffset = 0): void {
    this.#moved.chunkOffset[row] = offset
    this.#moved.chunkLength[row] = length
    this.#moved.chunkInner[row] = innerOffset
  }

  /** The headers of these entries, by number, make this member. */
  headers(entries: readonly number[], place: MemberPlace): void {
    // Only a member of neighbours can be copied as a whole once more.
    const [first = 0] = entries
    const areNeighbours = entries.every((i, n) => i === first + n && i < this.#source.length)
    this.#add(entries, place, areNeighbours ? entries.length : 0)
  }

  /** The headers of these entries begin this member, and others follow. */
  headersBefore(entries: readonly number[], place: MemberPlace): void {
    this.#add(entries, place, 0)
  }

  #add(entries: readonly number[], { offset, length }: MemberPlace, whole: number): void {
    // One of added entries alone is of no use to another arrangement.
    if (entries.every((i) => i >= this.#source.length)) return
    const members = this.#members
    const [firstEntry = 0] = entries
    let start = 0
    for (const i of entries) {
      if (i < this.#source.length) {
        this.#moved.header[i] = members.memberOffset.length
        this.#moved.headerStart[i] = start
      }
      start += this.#headerLength(i)
    }
    members.memberOffset.push(offset)
    members.memberLength.push(length)
    members.memberPlain.push(start)
    members.memberFirst.push(firstEntry)
    members.memberEntries.push(whole)
  }

  finish(): LayerIndex {
    const { columns, ...layer } = this.#source.data
    const { memberOffset, memberLength, memberPlain, memberFirst, memberEntries } = this.#members
    return new LayerIndex({
      ...layer,
      columns: {
        ...columns,
        ...this.#moved,
        memberOffset: memberOffset.finish(),
        memberLength: memberLength.finish(),
        memberPlain: memberPlain.finish(),
        memberFirst: memberFirst.finish(),
        memberEntries: memberEntries.finish(),
      },
    })
  }
}
