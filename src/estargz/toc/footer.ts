import { LARGEST_ZSTD_FOOTER, parseZstdFooter } from './zstd-chunked.ts'

/** Bytes of the footer: an empty gzip member whose extra field says where the table of contents begins. */
export const FOOTER_SIZE = 51
/** As many bytes at the end of a blob hold its footer, of whatever kind. */
export const LARGEST_FOOTER = Math.max(FOOTER_SIZE, LARGEST_ZSTD_FOOTER)
const MAGIC = 'STARGZ'
/** Identifier and little-endian length of the subfield (RFC 1952, 2.3.1.1). */
const SUBFIELD = 'SG\u0016\u0000'

/** The footer of stargz-snapshotter `docs/estargz.md`, "Footer". `tocOffset` is in bytes of the blob. */
export function writeFooter(tocOffset: number): Buffer {
  const footer = Buffer.alloc(FOOTER_SIZE)
  // Deflate with an extra field, no time, no known operating system.
  footer.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255])
  footer.writeUInt16LE(26, 10)
  footer.write(SUBFIELD, 12, 'latin1')
  footer.write(tocOffset.toString(16).padStart(16, '0') + MAGIC, 16, 'latin1')
  // A last stored block of no bytes; the checksum and length after it are zero.
  footer.set([1, 0, 0, 0xff, 0xff], 38)
  return footer
}

/** Bytes of the footer of a blob whose table of contents lies elsewhere. */
export const EXTERNAL_FOOTER_SIZE = 46
const EXTERNAL_MAGIC = 'STARGZEXTERNALTOC'
/** Identifier and little-endian length of its subfield. */
const EXTERNAL_SUBFIELD = 'SG\u0011\u0000'

/** The footer of stargz-snapshotter 0.18 `estargz/externaltoc`: a table of contents is somewhere else. */
export function writeExternalFooter(): Buffer {
  const footer = Buffer.alloc(EXTERNAL_FOOTER_SIZE)
  footer.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255])
  footer.writeUInt16LE(21, 10)
  footer.write(EXTERNAL_SUBFIELD + EXTERNAL_MAGIC, 12, 'latin1')
  footer.set([1, 0, 0, 0xff, 0xff], 33)
  return footer
}

/** Whether the extra field of a member is that of {@link writeExternalFooter}. */
export function isExternalFooter(extra: Buffer): boolean {
  return extra.toString('latin1') === EXTERNAL_SUBFIELD + EXTERNAL_MAGIC
}

/**
 * The offset of the table of contents by the extra field of a footer, or undefined for any other member.
 * stargz, the ancestor, wrote the field without its subfield header.
 */
export function tocOffsetOf(extra: Buffer): number | undefined {
  const text = extra.toString('latin1')
  const match = /^([0-9a-fA-F]{16})STARGZ$/.exec(text.startsWith(SUBFIELD) ? text.slice(4) : text)
  const offset = Number.parseInt(match?.[1] ?? '', 16)
  return Number.isSafeInteger(offset) ? offset : undefined
}

/** What a footer says: where the table of contents begins, or that it is elsewhere; and how long the footer is. */
export type Footer =
  | { readonly kind: 'gzip'; readonly tocOffset: number; readonly footerSize: number }
  | { readonly kind: 'external'; readonly footerSize: number }
  | {
      readonly kind: 'zstd'
      readonly tocOffset: number
      readonly tocSize: number
      readonly footerSize: number
    }

/**
 * Reads the last bytes of a blob ({@link LARGEST_FOOTER} of them, or the whole blob when shorter): the footer of
 * eStargz (51 bytes, in stargz 47), of one with an external table of contents (46), or of zstd:chunked; or undefined.
 */
export function parseFooter(tail: Buffer): Footer | undefined {
  for (const [footerSize, extraSize] of [
    [FOOTER_SIZE, 26],
    [47, 22],
    [EXTERNAL_FOOTER_SIZE, 21],
  ] as const) {
    const footer = tail.subarray(Math.max(0, tail.length - footerSize))
    if (footer.length !== footerSize || footer.readUInt32BE(0) !== 0x1f8b0804) continue
    if (footer.readUInt16LE(10) !== extraSize) continue
    const extra = footer.subarray(12, 12 + extraSize)
    if (isExternalFooter(extra)) return { kind: 'external', footerSize }
    const tocOffset = tocOffsetOf(extra)
    if (tocOffset !== undefined) return { kind: 'gzip', tocOffset, footerSize }
  }
  const zstd = parseZstdFooter(tail)
  return zstd && { kind: 'zstd', ...zstd }
}
