import { type MemberDecompressor, memberDecompressor } from '../../compression/member-decompressor.ts'
import type { BlobFormat } from '../blob-format.ts'

/** Fills a buffer with the bytes that begin at `start`. It answers at once: members are small, and there are many. */
export type ReadInto = (into: Buffer, start: number) => void

/** A member's place in a stream of members. */
export type MemberPlace = { readonly offset: number; readonly length: number }

/** Members that follow each other are read at once up to this many bytes; a larger one alone. */
const READ_BYTES = 256 * 1024

/** Reads members that were kept of a layer. */
export class MemberReader {
  readonly #read: ReadInto
  readonly #unpacker: MemberDecompressor
  /** What was read last. */
  #buffer = Buffer.allocUnsafe(READ_BYTES)

  /** @param largest plain bytes of one member at the most */
  constructor(read: ReadInto, packing: BlobFormat['compression'], largest: number) {
    this.#read = read
    this.#unpacker = memberDecompressor(packing, largest)
  }

  /** The plain bytes of one member. @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD */
  plain({ offset, length }: MemberPlace): Buffer {
    const plain: Buffer[] = []
    this.#unpacker.unpack(this.#bytes(offset, length), (bytes) => plain.push(Buffer.from(bytes)))
    return Buffer.concat(plain)
  }

  /**
   * Reads members that follow each other.
   * @param o.packed takes their bytes, some members at a time; they are valid until it is done
   * @param o.plain takes their plain bytes, which are valid until it returns
   * @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD; errors of reading pass unchanged
   */
  async run(
    offset: number,
    lengths: readonly number[],
    o: { packed: (bytes: Buffer) => Promise<void> | void; plain: (bytes: Buffer) => void },
  ): Promise<void> {
    let start = offset
    for (let first = 0; first < lengths.length; ) {
      let size = lengths[first] ?? 0
      let next = first + 1
      for (; next < lengths.length && size + (lengths[next] ?? 0) <= READ_BYTES; next++)
        size += lengths[next] ?? 0
      const members = this.#bytes(start, size)
      await o.packed(members)
      let at = 0
      for (; first < next; first++) {
        const end = at + (lengths[first] ?? 0)
        this.#unpacker.unpack(members.subarray(at, end), o.plain)
        at = end
      }
      start += size
    }
  }

  #bytes(start: number, length: number): Buffer {
    if (length > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(length)
    const bytes = this.#buffer.subarray(0, length)
    this.#read(bytes, start)
    return bytes
  }
}
