import { crc32, zstdDecompressSync } from 'node:zlib'
import type { BlobFormat } from '../estargz/blob-format.ts'
import { LayerError } from '../tar/errors.ts'
import { GZIP_HEADER, GZIP_TRAILER_BYTES } from './deflate/gzip-member.ts'
import { Transcoder } from './deflate/transcoder.ts'

/** Unpacks members that were kept of a layer, and checks them: what lay on a disk or in a registry may have changed. */
export interface MemberUnpacker {
  /**
   * @param take gets the plain bytes in order; they are valid until it returns
   * @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD
   */
  unpack(member: Buffer, take: (plain: Buffer) => void): void
}

/** @param largest plain bytes of one member at the most */
export function memberUnpacker(packing: BlobFormat['packing'], largest: number): MemberUnpacker {
  return packing === 'zstd' ? zstdUnpacker(largest) : new GzipUnpacker()
}

function zstdUnpacker(largest: number): MemberUnpacker {
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
class GzipUnpacker implements MemberUnpacker {
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
