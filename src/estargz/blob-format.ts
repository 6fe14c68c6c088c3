import type { MemberCompression } from '../compression/member-compressor.ts'

/** How a blob is written. Sizes are bytes. */
export type BlobFormat = {
  /** `gzip` writes eStargz, `zstd` writes zstd:chunked. */
  readonly compression: MemberCompression
  /**
   * Whether the table of contents is a separate blob (stargz-snapshotter 0.18 `estargz/externaltoc`). gzip
   * only: zstd blobs store it in a skippable frame, which decoders ignore anyway.
   */
  readonly externalToc: boolean
  /**
   * Whether the archive is preserved byte for byte: no landmark is added and no entry is dropped. Requires an
   * external table of contents.
   */
  readonly lossless: boolean
  /** Maximum content of one file per member. Readers fetch and verify chunk by chunk. */
  readonly chunkSize: number
  /**
   * Entries share a member until it holds this many uncompressed bytes; 0 gives each chunk its own member.
   */
  readonly minChunkSize: number
  /** Whether to add tar-split data, which containers/storage 1.59 requires for partial pulls. zstd only. */
  readonly tarSplit: boolean
}

/** Whether readers prefetch the blob up to the landmark. */
export type LandmarkKind = 'prefetch' | 'no-prefetch'

/** The format that stargz-snapshotter writes by default. */
export const DEFAULT_FORMAT: BlobFormat = {
  compression: 'gzip',
  externalToc: false,
  lossless: false,
  chunkSize: 4 << 20,
  minChunkSize: 0,
  tarSplit: false,
}

/** Small, because moving one header out of the middle recompresses the whole member. */
const HEADER_MEMBER_BYTES = 64 * 1024

/** The uncompressed size at which a member of headers, and of small files with `minChunkSize`, is closed. */
export function headerMemberBytes({ minChunkSize }: BlobFormat): number {
  return minChunkSize || HEADER_MEMBER_BYTES
}

/**
 * Whether a file's content shares a member with other entries. The first member of a blob is never shared:
 * empty files have no offset, and `estargz.Reader` of stargz-snapshotter 0.18 treats them as part of a member
 * at offset 0, which it then cannot read.
 */
export function sharesMember({ minChunkSize, chunkSize }: BlobFormat, size: number): boolean {
  return size > 0 && size < minChunkSize && size <= chunkSize
}
