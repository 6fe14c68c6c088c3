import { crc32, zstdDecompressSync } from 'node:zlib'
import { LayerError } from '../tar/errors.ts'
import { GZIP_HEADER, GZIP_TRAILER_BYTES } from './deflate/gzip-member.ts'
import { Transcoder } from './deflate/transcoder.ts'
import type { MemberCompression } from './member-compressor.ts'

/** Unpacks members that were kept of a layer, and checks them: what lay on a disk or in a registry may have changed. */
export interface MemberDecompressor {
  /**
   * @param take gets the plain bytes in order; they are valid until it returns
   * @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD
   */
  unpack(member: Buffer, take: (plain: Buffer) => void): void
}

/** @param largest plain bytes of one member at the most */
export function memberDecompressor(compression: MemberCompression, largest: number): MemberDecompressor {
  return compression === 'zstd' ? zstdDecompressor(largest) : new GzipDecompressor()
}

function zstdDecompressor(largest: number): MemberDecompressor {
  return {
    unpack(member, take) {
      let plain: Buffer
      try {
        plain = zstdDecompressSync(member, { maxOutputLength: largest })
      } catch (cause) {
        throw damaged('CORRUPT_ZSTD', cause)
      }
      take(plain)
    },
  }
}

const FEED_BYTES = 64 * 1024

/** The transcoder's decoder takes a member in one call, which for thousands of small ones is far cheaper than zlib. */
class GzipDecompressor implements MemberDecompressor {
  readonly #transcoder = new Transcoder()

  unpack(member: Buffer, take: (plain: Buffer) => void): void {
    const end = member.length - GZIP_TRAILER_BYTES
    // Every member that is kept has a header of this length, without optional fields.
    if (end < GZIP_HEADER.length) throw damaged('CORRUPT_GZIP')
    let crc = 0
    let size = 0
    let fed = GZIP_HEADER.length
    this.#transcoder.begin()
    for (let status = ''; status !== 'end'; ) {
      status = this.#transcoder.decode(fed === end)
      if (status === 'needs-input') {
        fed += this.#transcoder.feed(member.subarray(fed, Math.min(end, fed + FEED_BYTES)))
        continue
      }
      if (status !== 'pause' && status !== 'end') throw damaged('CORRUPT_GZIP')
      const plain = this.#transcoder.plain()
      crc = crc32(plain, crc)
      size += plain.length
      take(plain)
      this.#transcoder.pass()
    }
    const whole = fed === end && this.#transcoder.unread.length === 0
    if (!whole || member.readUInt32LE(end) !== crc || member.readUInt32LE(end + 4) !== size % 2 ** 32) {
      throw damaged('CORRUPT_GZIP')
    }
  }
}

function damaged(code: 'CORRUPT_GZIP' | 'CORRUPT_ZSTD', cause?: unknown): LayerError {
  return new LayerError(code, 'a member that was kept of the layer is damaged; convert it anew', { cause })
}
