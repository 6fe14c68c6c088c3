import type { BlobFormat } from './blob-format.ts'
import { type MemberUnpacker, memberUnpacker } from './member-unpacker.ts'

/** Gives the bytes from `start` up to but without `end`. */
export type ReadRange = (start: number, end: number) => AsyncIterable<Buffer>

/** A member's place in a stream of members. */
export type MemberPlace = { readonly offset: number; readonly length: number }

/** Reads members that were kept of a layer. */
export class MemberReader {
  readonly #read: ReadRange
  readonly #unpacker: MemberUnpacker

  /** @param largest plain bytes of one member at the most */
  constructor(read: ReadRange, packing: BlobFormat['packing'], largest: number) {
    this.#read = read
    this.#unpacker = memberUnpacker(packing, largest)
  }

  /** The plain bytes of one member. @throws LayerError CORRUPT_GZIP, CORRUPT_ZSTD */
  async plain({ offset, length }: MemberPlace): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const part of this.#read(offset, offset + length)) parts.push(Buffer.from(part))
    const plain: Buffer[] = []
    this.#unpacker.unpack(Buffer.concat(parts), (bytes) => plain.push(Buffer.from(bytes)))
    return Buffer.concat(plain)
  }

  /**
   * Reads members that follow each other.
   * @param o.packed takes their bytes, cut anywhere
   * @param o.plain takes their plain bytes
   * @throws RangeError when there are fewer bytes than the members have
   */
  async run(
    offset: number,
    lengths: readonly number[],
    o: { packed: (bytes: Buffer) => Promise<void> | void; plain: (bytes: Buffer) => void },
  ): Promise<void> {
    const end = lengths.reduce((sum, length) => sum + length, offset)
    let next = 0
    let parts: Buffer[] = []
    let have = 0
    let read = 0
    for await (const piece of this.#read(offset, end)) {
      await o.packed(piece)
      read += piece.length
      for (let at = 0; at < piece.length; ) {
        const length = lengths[next] ?? 0
        const part = piece.subarray(at, at + length - have)
        at += part.length
        have += part.length
        if (have < length) {
          parts.push(Buffer.from(part))
          break
        }
        this.#unpacker.unpack(parts.length === 0 ? part : Buffer.concat([...parts, part]), o.plain)
        parts = []
        have = 0
        next++
      }
    }
    if (read !== end - offset) {
      throw new RangeError(`reading members gave ${read} bytes where ${end - offset} were asked for`)
    }
  }
}
