import { crc32 } from 'node:zlib'
import { Transcoder } from './deflate/transcoder.ts'
import { LayerError } from './errors.ts'

/** Every member that is kept has a header of this length, without optional fields, and a trailer (RFC 1952, 2.3). */
const HEADER_BYTES = 10
const TRAILER_BYTES = 8
const FEED_BYTES = 64 * 1024

/**
 * Decodes members that were kept of a layer, from pieces of any size, and checks them: what lay on a disk or in a
 * registry may have changed.
 */
export class MemberDecoder {
  readonly #transcoder = new Transcoder()
  readonly #take: (plain: Buffer) => void
  /** Lengths of the members to come. */
  readonly #lengths: number[] = []
  #next = 0
  #parts: Buffer[] = []
  #have = 0

  /** @param take gets plain bytes in order; they are valid until it returns */
  constructor(take: (plain: Buffer) => void) {
    this.#take = take
  }

  /** Says how long the next member is. */
  expect(length: number): void {
    this.#lengths.push(length)
  }

  /** @throws LayerError CORRUPT_GZIP */
  push(piece: Buffer): void {
    for (let at = 0; at < piece.length; ) {
      const length = this.#lengths[this.#next]
      if (length === undefined) throw new RangeError('more bytes than the members have')
      const part = piece.subarray(at, at + length - this.#have)
      at += part.length
      this.#have += part.length
      if (this.#have < length) {
        this.#parts.push(Buffer.from(part))
        continue
      }
      this.#decode(this.#parts.length === 0 ? part : Buffer.concat([...this.#parts, part]))
      this.#parts = []
      this.#have = 0
      this.#next++
    }
    if (this.#next === this.#lengths.length) {
      this.#lengths.length = 0
      this.#next = 0
    }
  }

  #decode(member: Buffer): void {
    const end = member.length - TRAILER_BYTES
    let crc = 0
    let size = 0
    let fed = HEADER_BYTES
    this.#transcoder.begin()
    for (let status = ''; status !== 'end'; ) {
      status = this.#transcoder.decode(fed === end)
      if (status === 'needs-input') {
        fed += this.#transcoder.feed(member.subarray(fed, Math.min(end, fed + FEED_BYTES)))
        continue
      }
      if (status !== 'pause' && status !== 'end') throw damaged()
      const plain = this.#transcoder.plain()
      crc = crc32(plain, crc)
      size += plain.length
      this.#take(plain)
      this.#transcoder.pass()
    }
    if (fed !== end || this.#transcoder.unread.length > 0) throw damaged()
    if (member.readUInt32LE(end) !== crc || member.readUInt32LE(end + 4) !== size % 2 ** 32) throw damaged()
  }
}

function damaged(): LayerError {
  return new LayerError('CORRUPT_GZIP', 'a member that was kept of the layer is damaged; convert it anew')
}
