/**
 * The end of a zstd:chunked blob: the table of contents, optionally tar-split data, and a footer, each in a
 * skippable frame (RFC 8878, 3.1.2), which decoders ignore. Written as by stargz-snapshotter 0.18
 * `estargz/zstdchunked`. containers/storage 1.59 `pkg/chunked` locates the table of contents by annotations
 * only and never reads the footer.
 */
const SKIPPABLE_MAGIC = 0x184d2a50
const FRAME_HEADER_BYTES = 8
const FOOTER_BYTES = 40
/** A footer that also locates tar-split data (containers/storage 1.59 `pkg/chunked/internal/minimal`). */
const TAR_SPLIT_FOOTER_BYTES = 64
const FOOTER_MAGIC = Buffer.from('GnUlInUx', 'latin1')
/** The type of the table of contents: that of CRFS, which eStargz has too. */
const MANIFEST_TYPE = 1

/** Bytes of the largest footer, including its frame. */
export const MAX_ZSTD_FOOTER_SIZE = FRAME_HEADER_BYTES + TAR_SPLIT_FOOTER_BYTES

/**
 * The location of a compressed file in a skippable frame, without the frame's header. Sizes are bytes;
 * `plainSize` is the uncompressed size. The layer cache stores this as JSON, so field names are part of its
 * format.
 */
export type FrameLocation = { readonly offset: number; readonly size: number; readonly plainSize: number }

export function encodeSkippableFrame(content: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + content.length)
  frame.writeUInt32LE(SKIPPABLE_MAGIC, 0)
  frame.writeUInt32LE(content.length, 4)
  content.copy(frame, FRAME_HEADER_BYTES)
  return frame
}

/** Returns the offset of a frame's content. */
export function frameContentOffset(frameOffset: number): number {
  return frameOffset + FRAME_HEADER_BYTES
}

export function writeZstdFooter(toc: FrameLocation, tarSplit?: FrameLocation): Buffer {
  const footer = Buffer.alloc(tarSplit ? TAR_SPLIT_FOOTER_BYTES : FOOTER_BYTES)
  footer.writeBigUInt64LE(BigInt(toc.offset), 0)
  footer.writeBigUInt64LE(BigInt(toc.size), 8)
  footer.writeBigUInt64LE(BigInt(toc.plainSize), 16)
  footer.writeBigUInt64LE(BigInt(MANIFEST_TYPE), 24)
  if (tarSplit) {
    footer.writeBigUInt64LE(BigInt(tarSplit.offset), 32)
    footer.writeBigUInt64LE(BigInt(tarSplit.size), 40)
    footer.writeBigUInt64LE(BigInt(tarSplit.plainSize), 48)
  }
  FOOTER_MAGIC.copy(footer, footer.length - FOOTER_MAGIC.length)
  return encodeSkippableFrame(footer)
}

/** Formats the annotation that locates the table of contents. */
export function formatManifestPosition(toc: FrameLocation): string {
  return `${toc.offset}:${toc.size}:${toc.plainSize}:${MANIFEST_TYPE}`
}

/** Formats the annotation that locates tar-split data. */
export function formatTarSplitPosition({ offset, size, plainSize }: FrameLocation): string {
  return `${offset}:${size}:${plainSize}`
}

/** A parsed footer. Offsets are those of the contents of frames. All values are bytes. */
export type ZstdFooter = {
  readonly tocOffset: number
  readonly tocSize: number
  /** Absent if the footer locates no tar-split data. */
  readonly tarSplitOffset?: number
  readonly footerSize: number
}

/** Parses the footer at the end of a blob. Returns undefined if there is none. */
export function parseZstdFooter(tail: Buffer): ZstdFooter | undefined {
  for (const length of [FOOTER_BYTES, TAR_SPLIT_FOOTER_BYTES]) {
    const footerSize = FRAME_HEADER_BYTES + length
    const frame = tail.subarray(Math.max(0, tail.length - footerSize))
    if (frame.length !== footerSize || frame.readUInt32LE(0) !== SKIPPABLE_MAGIC) continue
    if (frame.readUInt32LE(4) !== length) continue
    const footer = frame.subarray(FRAME_HEADER_BYTES)
    if (!footer.subarray(length - FOOTER_MAGIC.length).equals(FOOTER_MAGIC)) continue
    if (footer.readBigUInt64LE(24) !== BigInt(MANIFEST_TYPE)) continue
    const tocOffset = Number(footer.readBigUInt64LE(0))
    const tocSize = Number(footer.readBigUInt64LE(8))
    if (!Number.isSafeInteger(tocOffset) || !Number.isSafeInteger(tocSize)) continue
    const tarSplitOffset = length === TAR_SPLIT_FOOTER_BYTES ? Number(footer.readBigUInt64LE(32)) : 0
    return { tocOffset, tocSize, footerSize, ...(tarSplitOffset > 0 && { tarSplitOffset }) }
  }
  return undefined
}
