import { constants, gzipSync } from 'node:zlib'

/**
 * Makes gzip members. It must answer the same bytes for the same content, however that is cut into parts:
 * a layer's digest depends on it.
 */
export interface MemberCompressor {
  /** One self-contained member (RFC 1952) of the parts' bytes in order, with a header that never varies. */
  gzip(parts: readonly Buffer[]): Buffer
}

/**
 * Makes gzip members of a layer's content while it goes by. What it answers has to be written before it is told
 * anything else: it may be views of memory that is used again.
 */
export interface ContentCompressor {
  /** Adds bytes to the open member; they may be a view that is valid until the next piece of the layer. */
  add(bytes: Buffer): void
  /** What is ready of the open member; called before the next piece of the layer. */
  flush(): readonly Buffer[]
  /** The rest of the member of everything added since the last one. */
  close(): readonly Buffer[]
}

/** Members by zlib at a level from 0 to 9. */
export function recompressor(level: number): MemberCompressor {
  if (!Number.isInteger(level) || level < 0 || level > 9) {
    throw new RangeError(`a gzip level is a whole number from 0 to 9, not ${level}`)
  }
  const options = {
    level,
    memLevel: 8,
    windowBits: 15,
    strategy: constants.Z_DEFAULT_STRATEGY,
    chunkSize: 64 * 1024,
  }
  return {
    gzip(parts) {
      const member = gzipSync(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts), options)
      // zlib writes the operating system it was built for; 255 is "unknown".
      member[9] = 255
      return member
    },
  }
}

/** Content that is compressed when all of a member is there. */
export function collecting(compressor: MemberCompressor): ContentCompressor {
  let parts: Buffer[] = []
  return {
    add: (bytes) => void parts.push(Buffer.from(bytes)),
    flush: () => [],
    close() {
      const member = compressor.gzip(parts)
      parts = []
      return [member]
    },
  }
}
