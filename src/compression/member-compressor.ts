import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { releaseBuffers } from '../bytes/release-buffers.ts'
import { GrowingBuffer } from './growing-buffer.ts'

/** The formats of members that can be written: gzip members for eStargz, zstd frames for zstd:chunked. */
export type MemberCompression = 'gzip' | 'zstd'

/**
 * Compresses bytes into self-contained members: gzip members (RFC 1952) or zstd frames (RFC 8878). It must
 * return the same bytes for the same content, however that is cut into parts, because the digest of a layer
 * depends on it.
 */
export interface MemberCompressor {
  /**
   * Returns one member with the bytes of the parts in order, and with a header that never varies.
   * @param parts each is consumed before the next one is requested
   */
  compress(parts: Iterable<Buffer>): Buffer
  /**
   * Yields the same member in pieces, for members that may be large. Each piece is valid until the next one
   * is requested.
   */
  compressPieces(parts: Iterable<Buffer>): Iterable<Buffer>
}

/**
 * Compresses the content of a layer into members while it is read. Its results may be views of memory that is
 * reused, so they must be written before the next call.
 */
export interface ContentCompressor {
  /** Adds bytes to the open member. They may be a view that is valid until the next piece of the layer. */
  add(bytes: Buffer): void
  /**
   * Returns the bytes of the open member that are ready. To be called before the next piece of the layer is
   * requested.
   */
  flush(): Buffer
  /** Ends the member, which contains everything added since the last one, and returns its remaining bytes. */
  close(): Buffer
}

/** The size of zlib's output chunks at level 0. */
const STORED_CHUNK_BYTES = 64 * 1024
const MAX_CHUNK_BYTES = 8 << 20

/**
 * Returns an upper bound on the size of a member with incompressible content, header and trailer included.
 */
function maxMemberBytes(length: number): number {
  return length + (length >> 8) + 1024
}

/**
 * Creates a compressor of gzip members that uses zlib at a level from 0 to 9.
 * @throws RangeError for another level
 */
export function createGzipCompressor(level: number): MemberCompressor {
  assertLevel('gzip', level, 0, 9)
  const options = {
    level,
    memLevel: 8,
    windowBits: 15,
    strategy: constants.Z_DEFAULT_STRATEGY,
  }
  return fromCompressFunction((bytes) => {
    // Level 0 alone writes other bytes for another chunk size. For other levels, one chunk has the capacity
    // for the member.
    const chunkSize =
      level === 0 ? STORED_CHUNK_BYTES : Math.min(MAX_CHUNK_BYTES, maxMemberBytes(bytes.length))
    const member = gzipSync(bytes, { ...options, chunkSize })
    // zlib writes the operating system that it was built for; 255 means "unknown".
    member[9] = 255
    return member
  })
}

/**
 * Creates a compressor of zstd frames with a level from 1 to 22, with a checksum and the content size.
 * @throws RangeError for another level
 */
export function createZstdCompressor(level: number): MemberCompressor {
  assertLevel('zstd', level, 1, 22)
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
    [constants.ZSTD_c_contentSizeFlag]: 1,
  }
  return fromCompressFunction((bytes) => zstdCompressSync(bytes, { params, pledgedSrcSize: bytes.length }))
}

/** Creates a compressor of content that buffers each member until it is complete. */
export function createBufferingCompressor(compressor: MemberCompressor): ContentCompressor {
  const buffered = new GrowingBuffer()
  let member: Buffer = Buffer.alloc(0)
  return {
    add: (bytes) => buffered.add(bytes),
    flush: () => Buffer.alloc(0),
    close() {
      // The caller has written the previous member.
      releaseBuffers(member)
      member = compressor.compress([buffered.bytes])
      buffered.clear()
      return member
    },
  }
}

/** Creates a compressor from a function that needs all parts as one buffer. */
function fromCompressFunction(compressBytes: (bytes: Buffer) => Buffer): MemberCompressor {
  const compress = (parts: Iterable<Buffer>) => {
    if (Array.isArray(parts) && parts.length === 1) return compressBytes(parts[0])
    const buffered = new GrowingBuffer()
    for (const part of parts) buffered.add(part)
    const member = compressBytes(buffered.bytes)
    buffered.release()
    return member
  }
  return { compress, compressPieces: (parts) => [compress(parts)] }
}

function assertLevel(compression: MemberCompression, level: number, min: number, max: number): void {
  if (Number.isInteger(level) && level >= min && level <= max) return
  throw new RangeError(`a ${compression} level is a whole number from ${min} to ${max}, not ${level}`)
}
