import type { Digest } from '../../oci/digest.ts'
import { BLOCK_BYTES } from '../../tar/header.ts'
import type { BlobFormat } from '../blob-format.ts'
import { ArchiveIndex } from './archive-index.ts'
import { cellAt, type IndexColumns } from './index-columns.ts'
import type { MemberLocation } from './member-location.ts'

/** The data of an index. Threads pass it on without copying, as its columns are in shared memory. */
export type LayerIndexData = {
  readonly compression: BlobFormat['compression']
  /** Maximum content of one file per member, in bytes. */
  readonly chunkSize: number
  /** The digest and size of the source's uncompressed bytes. */
  readonly sourceDiffId: Digest
  readonly sourceUncompressedSize: number
  readonly columns: IndexColumns
}

/** A member that holds raw headers. */
export type HeaderMember = MemberLocation & {
  readonly uncompressedLength: number
  readonly firstEntry: number
  /** How many consecutive entries the member holds, if it holds nothing else; otherwise 0. */
  readonly entryCount: number
}

/**
 * The entries of a layer in source order, and the locations of their members in the stream of members. With
 * the members, this is all that a new arrangement of the layer needs.
 */
export class LayerIndex extends ArchiveIndex {
  readonly data: LayerIndexData

  constructor(data: LayerIndexData) {
    super(data.columns)
    this.data = data
  }

  /** Returns the location of an entry's raw headers in the uncompressed bytes of a header member. */
  headerLocation(i: number): { member: number; start: number; length: number } {
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
      uncompressedLength: cellAt(memberPlain, member),
      firstEntry: cellAt(memberFirst, member),
      entryCount: cellAt(memberEntries, member),
    }
  }

  /**
   * An upper bound on the uncompressed size of any member, which holds a chunk with its padding, or headers,
   * to which the landmark's header may be appended.
   */
  get maxMemberBytes(): number {
    return this.columns.memberPlain.reduce((a, b) => Math.max(a, b), this.data.chunkSize) + BLOCK_BYTES
  }
}
