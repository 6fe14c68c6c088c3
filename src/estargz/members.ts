import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { release } from '../bytes/release.ts'

/**
 * Makes self-contained members: gzip members (RFC 1952) or zstd frames (RFC 8878). It must answer the same bytes for
 * the same content, however that is cut into parts: a layer's digest depends on it.
 */
export interface MemberCompressor {
  /** One member of the parts' bytes in order, with a header that never varies. */
  pack(parts: readonly Buffer[]): Buffer
}

/**
 * Makes members of a layer's content while it goes by. What it answers has to be written before it is told anything
 * else: it may be views of memory that is used again.
 */
export interface ContentCompressor {
  /** Adds bytes to the open member; they may be a view that is valid until the next piece of the layer. */
  add(bytes: Buffer): void
  /** What is ready of the open member; called before the next piece of the layer. */
  flush(): readonly Buffer[]
  /** The rest of the member of everything added since the last one. */
  close(): readonly Buffer[]
}

/** zlib writes into memory of this size at a time. */
const CHUNK_BYTES = 64 * 1024
/** What incompressible bytes grow by, with header and trailer, is less. */
const SLACK_BYTES = 1024

/** gzip members by zlib at a level from 0 to 9. */
export function gzipCompressor(level: number): MemberCompressor {
  checkLevel('gzip', level, 0, 9)
  const options = {
    level,
    memLevel: 8,
    windowBits: 15,
    strategy: constants.Z_DEFAULT_STRATEGY,
  }
  return {
    pack(parts) {
      const plain = whole(parts)
      // Level 0 alone writes other bytes into other chunks. For the others: no more memory than a small member needs.
      const chunkSize = level === 0 ? CHUNK_BYTES : Math.min(CHUNK_BYTES, plain.length + SLACK_BYTES)
      const member = gzipSync(plain, { ...options, chunkSize })
      if (parts.length > 1) release(plain)
      // zlib writes the operating system it was built for; 255 is "unknown".
      member[9] = 255
      return member
    },
  }
}

/** zstd frames at a level from 1 to 22, with their checksum and the size of their content. */
export function zstdCompressor(level: number): MemberCompressor {
  checkLevel('zstd', level, 1, 22)
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
    [constants.ZSTD_c_contentSizeFlag]: 1,
  }
  return {
    pack(parts) {
      const plain = whole(parts)
      const member = zstdCompressSync(plain, { params, pledgedSrcSize: plain.length })
      if (parts.length > 1) release(plain)
      return member
    },
  }
}

/** Content that is compressed when all of a member is there. */
export function collecting(compressor: MemberCompressor): ContentCompressor {
  let held = Buffer.alloc(0)
  let length = 0
  let member: Buffer = Buffer.alloc(0)
  return {
    add(bytes) {
      if (length + bytes.length > held.length) {
        const larger = Buffer.allocUnsafe(Math.max(2 * held.length, length + bytes.length))
        held.copy(larger, 0, 0, length)
        release(held)
        held = larger
      }
      length += bytes.copy(held, length)
    },
    flush: () => [],
    close() {
      // It was written before this was called.
      release(member)
      member = compressor.pack([held.subarray(0, length)])
      length = 0
      return [member]
    },
  }
}

function whole(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}

function checkLevel(of: string, level: number, least: number, most: number): void {
  if (Number.isInteger(level) && level >= least && level <= most) return
  throw new RangeError(`a ${of} level is a whole number from ${least} to ${most}, not ${level}`)
}
