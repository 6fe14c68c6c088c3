/** The header of every member: no time, no name, unknown operating system (RFC 1952, 2.3). */
export const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])

/** The size of the CRC-32 and the uncompressed size at the end of a member (RFC 1952, 2.3.1). */
export const GZIP_TRAILER_BYTES = 8
