/** Bytes of the footer: an empty gzip member whose extra field says where the table of contents begins. */
export const FOOTER_SIZE = 51
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

/**
 * Reads the last bytes of a blob ({@link FOOTER_SIZE} of them, or the whole blob when shorter): where the
 * table of contents begins and how long the footer is (51 bytes, in stargz 47), or undefined.
 */
export function parseFooter(tail: Buffer): { tocOffset: number; footerSize: number } | undefined {
  for (const [footerSize, extraSize] of [
    [FOOTER_SIZE, 26],
    [47, 22],
  ] as const) {
    const footer = tail.subarray(Math.max(0, tail.length - footerSize))
    if (footer.length !== footerSize || footer.readUInt32BE(0) !== 0x1f8b0804) continue
    if (footer.readUInt16LE(10) !== extraSize) continue
    const tocOffset = tocOffsetOf(footer.subarray(12, 12 + extraSize))
    if (tocOffset !== undefined) return { tocOffset, footerSize }
  }
  return undefined
}
