/**
 * The end of a zstd:chunked blob: the table of contents and a footer, each in a skippable frame (RFC 8878, 3.1.2), which
 * decoders pass over. As stargz-snapshotter 0.18 `estargz/zstdchunked` writes it; containers/storage 1.59
 * `pkg/chunked` finds the table of contents by annotations alone, and never reads the footer.
 */
const SKIPPABLE = 0x184d2a50
const FRAME_HEADER = 8
const FOOTER_CONTENT = 40
const MAGIC = Buffer.from('GnUlInUx', 'latin1')
/** Kind of the table of contents: the one of CRFS, which eStargz has, too. */
const MANIFEST_TYPE = 1

/** Bytes of the footer with its frame. */
export const ZSTD_FOOTER_SIZE = FRAME_HEADER + FOOTER_CONTENT

/** Where the compressed table of contents lies, without its frame's header. Sizes are bytes. */
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

export function writeZstdFooter(toc: TocFrame): Buffer {
  const footer = Buffer.alloc(FOOTER_CONTENT)
  footer.writeBigUInt64LE(BigInt(toc.offset), 0)
  footer.writeBigUInt64LE(BigInt(toc.size), 8)
  footer.writeBigUInt64LE(BigInt(toc.plainSize), 16)
  footer.writeBigUInt64LE(BigInt(MANIFEST_TYPE), 24)
  MAGIC.copy(footer, 32)
  return skippableFrame(footer)
}

/** The value of the annotations that say where the table of contents lies. */
export function manifestPosition(toc: TocFrame): string {
  return `${toc.offset}:${toc.size}:${toc.plainSize}:${MANIFEST_TYPE}`
}

/** What the footer at the end of a blob says, or undefined when there is none. */
export function parseZstdFooter(
  tail: Buffer,
): { tocOffset: number; tocSize: number; footerSize: number } | undefined {
  const frame = tail.subarray(Math.max(0, tail.length - ZSTD_FOOTER_SIZE))
  if (frame.length !== ZSTD_FOOTER_SIZE || frame.readUInt32LE(0) !== SKIPPABLE) return undefined
  if (frame.readUInt32LE(4) !== FOOTER_CONTENT) return undefined
  const footer = frame.subarray(FRAME_HEADER)
  if (!footer.subarray(32).equals(MAGIC) || footer.readBigUInt64LE(24) !== BigInt(MANIFEST_TYPE))
    return undefined
  const tocOffset = Number(footer.readBigUInt64LE(0))
  const tocSize = Number(footer.readBigUInt64LE(8))
  if (!Number.isSafeInteger(tocOffset) || !Number.isSafeInteger(tocSize)) return undefined
  return { tocOffset, tocSize, footerSize: ZSTD_FOOTER_SIZE }
}
