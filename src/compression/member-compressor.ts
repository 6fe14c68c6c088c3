import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { release } from '../bytes/release.ts'

/** The formats of members that can be written: gzip members for eStargz, zstd frames for zstd:chunked. */
export type MemberCompression = 'gzip' | 'zstd'

/**
 * Makes self-contained members: gzip members (RFC 1952) or zstd frames (RFC 8878). It must answer the same bytes for
 * the same content, however that is cut into parts: a layer's digest depends on it.
 */
export interface MemberCompressor {
  /**
   * One member of the parts' bytes in order, with a header that never varies.
   * @param parts each is used before the next is asked for
   */
  pack(parts: Iterable<Buffer>): Buffer
  /** The same member, where it may be large: piece by piece, each valid until the next is asked for. */
  pieces(parts: Iterable<Buffer>): Iterable<Buffer>
}

/**
 * Makes members of a layer's content while it goes by. What it answers has to be written before it is told anything
 * else: it may be views of memory that is used again.
 */
export interface ContentCompressor {
  /** Adds bytes to the open member; they may be a view that is valid until the next piece of the layer. */
  add(bytes: Buffer): void
  /** What is ready of the open member; called before the next piece of the layer. */
  flush(): Buffer
  /** The rest of the member of everything added since the last one. */
  close(): Buffer
}

/** zlib writes into memory of this size at a time. */
const STORED_CHUNK_BYTES = 64 * 1024
const MAX_CHUNK_BYTES = 8 << 20

/** More than incompressible bytes come to, with header and trailer. */
function mostDeflated(length: number): number {
  return length + (length >> 8) + 1024
}

/** gzip members by zlib at a level from 0 to 9. */
export function gzipCompressor(level: number): MemberCompressor {
  checkLevel('gzip', level, 0, 9)
  const options = {
    level,
    memLevel: 8,
    windowBits: 15,
    strategy: constants.Z_DEFAULT_STRATEGY,
  }
  return whole((plain) => {
    // Level 0 alone writes other bytes into other chunks. For the others: what the member needs at the most, at once.
    const chunkSize = level === 0 ? STORED_CHUNK_BYTES : Math.min(MAX_CHUNK_BYTES, mostDeflated(plain.length))
    const member = gzipSync(plain, { ...options, chunkSize })
    // zlib writes the operating system it was built for; 255 is "unknown".
    member[9] = 255
    return member
  })
}

/** zstd frames at a level from 1 to 22, with their checksum and the size of their content. */
export function zstdCompressor(level: number): MemberCompressor {
  checkLevel('zstd', level, 1, 22)
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
    [constants.ZSTD_c_contentSizeFlag]: 1,
  }
  return whole((plain) => zstdCompressSync(plain, { params, pledgedSrcSize: plain.length }))
}

/** Content that is compressed when all of a member is there. */
export function bufferingCompressor(compressor: MemberCompressor): ContentCompressor {
  const held = new Collected()
  let member: Buffer = Buffer.alloc(0)
  return {
    add: (bytes) => held.add(bytes),
    flush: () => Buffer.alloc(0),
    close() {
      // It was written before this was called.
      release(member)
      member = compressor.pack([held.bytes])
      held.clear()
      return member
    },
  }
}

/** A compressor that wants all parts in one piece. */
function whole(packed: (plain: Buffer) => Buffer): MemberCompressor {
  const pack = (parts: Iterable<Buffer>) => {
    if (Array.isArray(parts) && parts.length === 1) return packed(parts[0])
    const held = new Collected()
    for (const part of parts) held.add(part)
    const member = packed(held.bytes)
    held.release()
    return member
  }
  return { pack, pieces: (parts) => [pack(parts)] }
}

/** Bytes one behind the other, in memory that grows. */
class Collected {
  #memory = Buffer.alloc(0)
  #length = 0

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length)
  }

  add(bytes: Buffer): void {
    if (this.#length + bytes.length > this.#memory.length) this.#grow(bytes.length)
    this.#length += bytes.copy(this.#memory, this.#length)
  }

  /** Forgets the bytes; their memory is used again. */
  clear(): void {
    this.#length = 0
  }

  release(): void {
    release(this.#memory)
  }

  #grow(by: number): void {
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#memory.length, this.#length + by))
    this.#memory.copy(larger, 0, 0, this.#length)
    release(this.#memory)
    this.#memory = larger
  }
}

function checkLevel(of: string, level: number, least: number, most: number): void {
  if (Number.isInteger(level) && level >= least && level <= most) return
  throw new RangeError(`a ${of} level is a whole number from ${least} to ${most}, not ${level}`)
}
