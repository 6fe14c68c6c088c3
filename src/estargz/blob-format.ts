import type { MemberCompression } from '../compression/member-compressor.ts'

/** How a blob is written. Sizes are bytes. */
export type BlobFormat = {
  /** gzip: eStargz; zstd: zstd:chunked. */
  readonly compression: MemberCompression
  /**
   * Whether the table of contents is left to a blob of its own (stargz-snapshotter 0.18 `estargz/externaltoc`). Of
   * gzip alone: zstd keeps it where decoders do not look.
   */
  readonly externalToc: boolean
  /** Whether the archive stays as it is, to the byte: no landmark, nothing left out. Needs an external table of contents. */
  readonly lossless: boolean
  /** The most content of one file in a member: readers fetch and verify chunk by chunk. */
  readonly chunkSize: number
  /** Entries share a member until it holds so much; 0: each chunk has its own. */
  readonly minChunkSize: number
  /** Whether the data of tar-split goes with it, which containers/storage 1.59 demands for partial pulls. Of zstd alone. */
  readonly tarSplit: boolean
}

/**
 * Whether a file's content stays in a member with other entries. That is never the first one of a blob: empty files have no
 * offset, and `estargz.Reader` of stargz-snapshotter 0.18 takes those for part of a member at offset 0, which it then
 * cannot read.
 */
export function sharesMember({ minChunkSize, chunkSize }: BlobFormat, size: number): boolean {
  return size > 0 && size < minChunkSize && size <= chunkSize
}

/** What stargz-snapshotter writes by default, too. */
export const DEFAULT_FORMAT: BlobFormat = {
  compression: 'gzip',
  externalToc: false,
  lossless: false,
  chunkSize: 4 << 20,
  minChunkSize: 0,
  tarSplit: false,
}
