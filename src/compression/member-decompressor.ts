import { crc32, zstdDecompressSync } from 'node:zlib'
import { LayerError } from '../tar/layer-error.ts'
import { GZIP_HEADER, GZIP_TRAILER_BYTES } from './deflate/gzip-member.ts'
import { Transcoder } from './deflate/transcoder.ts'
import type { MemberCompression } from './member-compressor.ts'

/**
 * Decompresses and verifies stored members of a layer, which may have changed on the disk or in the registry.
 */
export interface MemberDecompressor {
  /**
   * @param onBytes receives the uncompressed bytes in order, as views that are valid until it returns
   * @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD
   */
  decompress(member: Buffer, onBytes: (bytes: Buffer) => void): void
}

/** @param maxMemberBytes the bound on the uncompressed size of a zstd frame */
export function createMemberDecompressor(
  compression: MemberCompression,
  maxMemberBytes: number,
): MemberDecompressor {
  return compression === 'zstd' ? createZstdDecompressor(maxMemberBytes) : new GzipDecompressor()
}

function createZstdDecompressor(maxMemberBytes: number): MemberDecompressor {
  return {
    decompress(member, onBytes) {
      let bytes: Buffer
      try {
        bytes = zstdDecompressSync(member, { maxOutputLength: maxMemberBytes })
      } catch (cause) {
        throw damagedMember('CORRUPT_ZSTD', cause)
      }
      onBytes(bytes)
    },
  }
}

const FEED_BYTES = 64 * 1024

/** Uses the transcoder's decoder, which is far cheaper than zlib for thousands of small members. */
class GzipDecompressor implements MemberDecompressor {
  readonly #transcoder = new Transcoder()

  decompress(member: Buffer, onBytes: (bytes: Buffer) => void): void {
    const end = member.length - GZIP_TRAILER_BYTES
    // Every stored member has a header of this length, without optional fields.
    if (end < GZIP_HEADER.length) throw damagedMember('CORRUPT_GZIP')
    let crc = 0
    let size = 0
    let fed = GZIP_HEADER.length
    this.#transcoder.startStream()
    for (let status = ''; status !== 'end'; ) {
      status = this.#transcoder.decode(fed === end)
      if (status === 'needs-input') {
        fed += this.#transcoder.feed(member.subarray(fed, Math.min(end, fed + FEED_BYTES)))
        continue
      }
      if (status !== 'pause' && status !== 'end') throw damagedMember('CORRUPT_GZIP')
      const bytes = this.#transcoder.uncompressed()
      crc = crc32(bytes, crc)
      size += bytes.length
      onBytes(bytes)
      this.#transcoder.discard()
    }
    const isComplete = fed === end && this.#transcoder.unread.length === 0
    if (!isComplete || member.readUInt32LE(end) !== crc || member.readUInt32LE(end + 4) !== size % 2 ** 32) {
      throw damagedMember('CORRUPT_GZIP')
    }
  }
}

function damagedMember(code: 'CORRUPT_GZIP' | 'CORRUPT_ZSTD', cause?: unknown): LayerError {
  return new LayerError(code, 'a stored member of the layer is damaged; convert the layer again', { cause })
}
