/**
 * The end of a zstd:chunked blob: the table of contents and a footer, each in a skippable frame (RFC 8878, 3.1.2), which
 * decoders pass over. As stargz-snapshotter 0.18 `estargz/zstdchunked` writes it; containers/storage 1.59
 * `pkg/chunked` finds the table of contents by annotations alone, and never reads the footer.
 */
const SKIPPABLE = 0x184d2a50
const FRAME_HEADER = 8
const FOOTER_CONTENT = 40
/** Of one that says where the data of tar-split lies, too (containers/storage 1.59 `pkg/chunked/internal/minimal`). */
const LONG_FOOTER_CONTENT = 64
const MAGIC = Buffer.from('GnUlInUx', 'latin1')
/** Kind of the table of contents: the one of CRFS, which eStargz has, too. */
const MANIFEST_TYPE = 1

/** Bytes of the longest footer with its frame. */
export const LARGEST_ZSTD_FOOTER = FRAME_HEADER + LONG_FOOTER_CONTENT

/** Where a compressed file lies, without its frame's header. Sizes are bytes. */
export type TocFrame = { readonly offset: number; readonly size: number; readonly plainSize: number }

export function skippableFrame(content: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER + content.length)
  frame.writeUInt32LE(SKIPPABLE, 0)
  frame.writeUInt32LE(content.length, 4)
  content.copy(frame, FRAME_HEADER)
  return frame
}

/** Where the content of a frame begins that is written at an offset. */
export function contentOffset(frameOffset: number): number {
  return frameOffset + FRAME_HEADER
}

export function writeZstdFooter(toc: TocFrame, tarSplit?: TocFrame): Buffer {
  const footer = Buffer.alloc(tarSplit ? LONG_FOOTER_CONTENT : FOOTER_CONTENT)
  footer.writeBigUInt64LE(BigInt(toc.offset), 0)
  footer.writeBigUInt64LE(BigInt(toc.size), 8)
  footer.writeBigUInt64LE(BigInt(toc.plainSize), 16)
  footer.writeBigUInt64LE(BigInt(MANIFEST_TYPE), 24)
  if (tarSplit) {
    footer.writeBigUInt64LE(BigInt(tarSplit.offset), 32)
    footer.writeBigUInt64LE(BigInt(tarSplit.size), 40)
    footer.writeBigUInt64LE(BigInt(tarSplit.plainSize), 48)
  }
  MAGIC.copy(footer, footer.length - MAGIC.length)
  return skippableFrame(footer)
}

/** The value of the annotations that say where the table of contents lies. */
export function manifestPosition(toc: TocFrame): string {
  return `${toc.offset}:${toc.size}:${toc.plainSize}:${MANIFEST_TYPE}`
}

/** The value of the annotation that says where the data of tar-split lies. */
export function tarSplitPosition({ offset, size, plainSize }: TocFrame): string {
  return `${offset}:${size}:${plainSize}`
}

/** What the footer at the end of a blob says, or undefined when there is none. */
export function parseZstdFooter(
  tail: Buffer,
): { tocOffset: number; tocSize: number; footerSize: number } | undefined {
  for (const length of [FOOTER_CONTENT, LONG_FOOTER_CONTENT]) {
    const footerSize = FRAME_HEADER + length
    const frame = tail.subarray(Math.max(0, tail.length - footerSize))
    if (frame.length !== footerSize || frame.readUInt32LE(0) !== SKIPPABLE) continue
    if (frame.readUInt32LE(4) !== length) continue
    const footer = frame.subarray(FRAME_HEADER)
    if (!footer.subarray(length - MAGIC.length).equals(MAGIC)) continue
    if (footer.readBigUInt64LE(24) !== BigInt(MANIFEST_TYPE)) continue
    const tocOffset = Number(footer.readBigUInt64LE(0))
    const tocSize = Number(footer.readBigUInt64LE(8))
    if (Number.isSafeInteger(tocOffset) && Number.isSafeInteger(tocSize)) {
      return { tocOffset, tocSize, footerSize }
    }
  }
  return undefined
}
