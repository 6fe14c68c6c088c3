/** Of every member: no time, no name, an unknown operating system (RFC 1952, 2.3). */
export const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])

/** The CRC-32 and the size of the plain bytes end a member (RFC 1952, 2.3.1). */
export const GZIP_TRAILER_BYTES = 8
