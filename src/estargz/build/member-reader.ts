import { createMemberDecompressor, type MemberDecompressor } from '../../compression/member-decompressor.ts'
import type { BlobFormat } from '../blob-format.ts'
import type { MemberLocation } from '../index/member-location.ts'

/** Fills a buffer with the bytes from `start` on. Synchronous, because members are small and numerous. */
export type ReadInto = (target: Buffer, start: number) => void

/** Consecutive members are read together up to this many bytes. A larger member is read alone. */
const READ_BYTES = 256 * 1024

/** Reads the stored members of a layer. */
export class MemberReader {
  readonly #read: ReadInto
  readonly #decompressor: MemberDecompressor
  /** Reused for every read. */
  #buffer = Buffer.allocUnsafe(READ_BYTES)

  /** @param maxMemberBytes the maximum uncompressed size of a member */
  constructor(read: ReadInto, compression: BlobFormat['compression'], maxMemberBytes: number) {
    this.#read = read
    this.#decompressor = createMemberDecompressor(compression, maxMemberBytes)
  }

  /** Returns the uncompressed bytes of one member. @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD */
  decompress({ offset, length }: MemberLocation): Buffer {
    const parts: Buffer[] = []
    const member = this.#readBytes(offset, length)
    this.#decompressor.decompress(member, (bytes) => parts.push(Buffer.from(bytes)))
    return Buffer.concat(parts)
  }

  /**
   * Reads consecutive members.
   * @param o.onCompressed gets the bytes of several members at a time, which are valid until its promise
   *   resolves
   * @param o.onUncompressed gets their uncompressed bytes, which are valid until it returns
   * @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD; errors of reading pass unchanged
   */
  async readRun(
    offset: number,
    lengths: readonly number[],
    o: { onCompressed: (bytes: Buffer) => Promise<void> | void; onUncompressed: (bytes: Buffer) => void },
  ): Promise<void> {
    let start = offset
    for (let first = 0; first < lengths.length; ) {
      let size = lengths[first] ?? 0
      let next = first + 1
      for (; next < lengths.length && size + (lengths[next] ?? 0) <= READ_BYTES; next++) {
        size += lengths[next] ?? 0
      }
      const members = this.#readBytes(start, size)
      await o.onCompressed(members)
      let memberStart = 0
      for (; first < next; first++) {
        const memberEnd = memberStart + (lengths[first] ?? 0)
        this.#decompressor.decompress(members.subarray(memberStart, memberEnd), o.onUncompressed)
        memberStart = memberEnd
      }
      start += size
    }
  }

  #readBytes(start: number, length: number): Buffer {
    if (length > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(length)
    const bytes = this.#buffer.subarray(0, length)
    this.#read(bytes, start)
    return bytes
  }
}
