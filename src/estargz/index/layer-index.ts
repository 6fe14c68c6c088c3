import type { Digest } from '../../oci/digest.ts'
import { BLOCK } from '../../tar/header.ts'
import type { BlobFormat } from '../blob-format.ts'
import type { MemberPlace } from '../build/member-reader.ts'
import { ArchiveIndex, cellAt, type IndexColumns } from './archive-index.ts'

/** What an index is made of: crosses between threads without copies, as its columns lie in shared memory. */
export type IndexData = {
  readonly compression: BlobFormat['compression']
  /** The most content in one member. */
  readonly chunkSize: number
  /** Of the plain bytes as they came. */
  readonly sourceDiffId: Digest
  readonly sourcePlainSize: number
  readonly columns: IndexColumns
}

/** A member that holds raw headers. */
export type HeaderMember = MemberPlace & {
  readonly plainLength: number
  readonly firstEntry: number
  readonly entries: number
}

/**
 * What is known of a layer once it was split: its entries in source order, and where each one's members lie in
 * the stream of members: all that a new arrangement needs beside those members.
 */
export class LayerIndex extends ArchiveIndex {
  readonly data: IndexData

  constructor(data: IndexData) {
    super(data.columns)
    this.data = data
  }

  /** Where an entry's raw headers are. */
  header(i: number): { member: number; start: number; length: number } {
    const { header, headerStart } = this.columns
    return { member: cellAt(header, i), start: cellAt(headerStart, i), length: this.headerLength(i) }
  }

  headerLength(i: number): number {
    return cellAt(this.columns.headerLength, i)
  }

  headerMember(member: number): HeaderMember {
    const { memberOffset, memberLength, memberPlain, memberFirst, memberEntries } = this.columns
    return {
      offset: cellAt(memberOffset, member),
      length: cellAt(memberLength, member),
      plainLength: cellAt(memberPlain, member),
      firstEntry: cellAt(memberFirst, member),
      entries: cellAt(memberEntries, member),
    }
  }

  /**
   * Plain bytes of the largest member at the most: one holds a chunk with its padding, or headers, perhaps with that of the
   * landmark behind them.
   */
  get largestMember(): number {
    return this.columns.memberPlain.reduce((a, b) => Math.max(a, b), this.data.chunkSize) + BLOCK
  }
}
