/** A header that never varies: no time, no name, an unknown operating system (RFC 1952, 2.3). */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])

/** A gzip member around a deflate stream. @param size of the plain bytes */
export function gzipMember(deflated: readonly Buffer[], crc: number, size: number): Buffer {
  let length = HEADER.length + 8
  for (const part of deflated) length += part.length
  const member = Buffer.allocUnsafe(length)
  member.set(HEADER)
  let at = HEADER.length
  for (const part of deflated) {
    member.set(part, at)
    at += part.length
  }
  member.writeUInt32LE(crc, at)
  member.writeUInt32LE(size % 2 ** 32, at + 4)
  return member
}
