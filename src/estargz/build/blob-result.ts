import type { Digest } from '../../oci/digest.ts'
import type { LandmarkKind } from '../blob-format.ts'
import type { LayerIndex } from '../index/layer-index.ts'
import type { NonUtf8Names } from '../toc/non-utf8-names.ts'
import type { FrameLocation } from '../toc/zstd-chunked.ts'

/**
 * A written blob. Sizes are bytes. The layer cache stores this as JSON, so field names are part of its
 * format.
 */
export type BlobResult = {
  digest: Digest
  size: number
  /**
   * The digest of the uncompressed archive, with the landmark and, unless it is external, the table of
   * contents.
   */
  diffId: Digest
  uncompressedSize: number
  /** The digest of the table of contents as JSON. */
  tocDigest: Digest
  /** The number of prioritized names before the landmark. */
  prioritizedFiles: number
  /** What readers prefetch: the blob up to the landmark's content; 0 without prioritized files. */
  prefetchBytes: number
  /** Entries of the archive, without the landmark and the table of contents. */
  entries: number
  /** Undefined for a lossless archive. */
  landmark?: LandmarkKind
  /** Names that lazy readers show differently than containers; omitted if there are none. */
  oddNames?: NonUtf8Names
  /** The blob with the external table of contents. */
  externalToc?: Uint8Array
  /** The digest of that blob's uncompressed bytes. */
  externalTocDiffId?: Digest
  /**
   * zstd:chunked only: the location of the compressed table of contents, and the digest of its compressed
   * bytes.
   */
  tocFrame?: FrameLocation & { digest: Digest }
  /** The location of the tar-split data, if the format includes it and containers/storage can use it. */
  tarSplit?: FrameLocation
  /** Why the blob has no tar-split data although the format includes it. */
  noTarSplit?: string
}

/** A blob and the index of its members. A new arrangement needs only these. */
export type IndexedBlob = BlobResult & { index: LayerIndex }
