import { MAX_ZSTD_FOOTER_SIZE, parseZstdFooter, type ZstdFooter } from './zstd-chunked.ts'

/** Bytes of the footer: an empty gzip member whose extra field holds the offset of the table of contents. */
export const FOOTER_SIZE = 51
/** The footer of stargz, the predecessor, which lacks the subfield header. */
const STARGZ_FOOTER_SIZE = 47
/** A footer of any kind is within this many bytes of the end of a blob. */
export const MAX_FOOTER_SIZE = Math.max(FOOTER_SIZE, MAX_ZSTD_FOOTER_SIZE)
const MAGIC = 'STARGZ'
/** Identifier and little-endian length of the subfield (RFC 1952, 2.3.1.1). */
const SUBFIELD_HEADER = 'SG\u0016\u0000'

/**
 * Encodes the footer of stargz-snapshotter `docs/estargz.md`, "Footer".
 * @param tocOffset in bytes of the blob
 */
export function writeFooter(tocOffset: number): Buffer {
  const footer = Buffer.alloc(FOOTER_SIZE)
  // gzip header: deflate, an extra field, no time, unknown operating system.
  footer.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255])
  footer.writeUInt16LE(26, 10)
  footer.write(SUBFIELD_HEADER, 12, 'latin1')
  footer.write(tocOffset.toString(16).padStart(16, '0') + MAGIC, 16, 'latin1')
  // A final, empty stored block. The checksum and length after it are zero.
  footer.set([1, 0, 0, 0xff, 0xff], 38)
  return footer
}

/** Bytes of the footer of a blob with an external table of contents. */
export const EXTERNAL_FOOTER_SIZE = 46
const EXTERNAL_MAGIC = 'STARGZEXTERNALTOC'
/** Identifier and little-endian length of the subfield. */
const EXTERNAL_SUBFIELD_HEADER = 'SG\u0011\u0000'

/**
 * Encodes the footer of stargz-snapshotter 0.18 `estargz/externaltoc`: the table of contents is a separate
 * blob.
 */
export function writeExternalFooter(): Buffer {
  const footer = Buffer.alloc(EXTERNAL_FOOTER_SIZE)
  footer.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255])
  footer.writeUInt16LE(21, 10)
  footer.write(EXTERNAL_SUBFIELD_HEADER + EXTERNAL_MAGIC, 12, 'latin1')
  footer.set([1, 0, 0, 0xff, 0xff], 33)
  return footer
}

/** Whether a member's extra field is that of {@link writeExternalFooter}. */
export function isExternalFooter(extraField: Buffer): boolean {
  return extraField.toString('latin1') === EXTERNAL_SUBFIELD_HEADER + EXTERNAL_MAGIC
}

/**
 * Parses the offset of the table of contents in a footer's extra field. Returns undefined for any other
 * member.
 */
export function parseTocOffset(extraField: Buffer): number | undefined {
  const text = extraField.toString('latin1')
  // stargz wrote the field without a subfield header.
  const field = text.startsWith(SUBFIELD_HEADER) ? text.slice(SUBFIELD_HEADER.length) : text
  const match = /^([0-9a-fA-F]{16})STARGZ$/.exec(field)
  const offset = Number.parseInt(match?.[1] ?? '', 16)
  return Number.isSafeInteger(offset) ? offset : undefined
}

/**
 * A parsed footer: the location of the table of contents, and the footer's own size. Offsets and sizes are
 * bytes.
 */
export type Footer =
  | { readonly kind: 'gzip'; readonly tocOffset: number; readonly footerSize: number }
  | { readonly kind: 'external'; readonly footerSize: number }
  | ({ readonly kind: 'zstd' } & ZstdFooter)

/**
 * Parses the footer at the end of a blob: that of eStargz (51 bytes), of stargz (47), of eStargz with an
 * external table of contents (46), or of zstd:chunked (48 or 72).
 * @param tail the last {@link MAX_FOOTER_SIZE} bytes, or the whole blob if it is shorter
 * @returns undefined if there is no footer
 */
export function parseFooter(tail: Buffer): Footer | undefined {
  for (const [footerSize, extraFieldSize] of [
    [FOOTER_SIZE, 26],
    [STARGZ_FOOTER_SIZE, 22],
    [EXTERNAL_FOOTER_SIZE, 21],
  ] as const) {
    const footer = tail.subarray(Math.max(0, tail.length - footerSize))
    if (footer.length !== footerSize || footer.readUInt32BE(0) !== 0x1f8b0804) continue
    if (footer.readUInt16LE(10) !== extraFieldSize) continue
    const extraField = footer.subarray(12, 12 + extraFieldSize)
    if (isExternalFooter(extraField)) return { kind: 'external', footerSize }
    const tocOffset = parseTocOffset(extraField)
    if (tocOffset !== undefined) return { kind: 'gzip', tocOffset, footerSize }
  }
  const zstd = parseZstdFooter(tail)
  return zstd && { kind: 'zstd', ...zstd }
}
