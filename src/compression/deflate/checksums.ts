import { crc32 } from 'node:zlib'
import { shiftCrc32 } from './crc-shift.ts'

/**
 * The CRC-32 of deflate streams and of the members that are made of stretches of them, with every plain byte looked at
 * once: the checksum of a stretch follows from those of its stream up to where it begins and up to where it ends.
 */
export class Checksums {
  readonly #window: Buffer
  /** Of the stream, up to a place in the window. */
  #stream = 0
  #at = 0
  /** Up to where the member goes, and how many bytes of it lie behind each other there. */
  #end = 0
  #length = 0
  /** Of the stream up to where those begin, and of what the member had before, by exclusive or. */
  #before = 0

  constructor(window: Buffer) {
    this.#window = window
  }

  /** A stream begins at a place in the window. */
  begin(at: number): void {
    const member = this.#member()
    this.#stream = 0
    this.#at = at
    this.#goOn(member, at)
  }

  /** The member goes on with bytes of the window, which lie behind those before. */
  add(bytes: Buffer): void {
    if (bytes.byteOffset !== this.#end) this.#skipTo(bytes.byteOffset)
    this.#end += bytes.length
    this.#length += bytes.length
  }

  /** The member goes on with bytes that are of no stream. */
  addOther(bytes: Buffer): void {
    this.#goOn(crc32(bytes, this.#member()), this.#end)
  }

  /** Everything up to a place is to be let go of. */
  pass(end: number): void {
    if (this.#end !== end) this.#skipTo(end)
    this.#run(end)
  }

  /** What follows will lie at a place. */
  goOnAt(next: number): void {
    this.#at = next
    this.#end = next
  }

  /** Ends the member. */
  close(): number {
    const member = this.#member()
    this.#goOn(0, this.#end)
    return member
  }

  /** Of the stream up to where the last bytes were passed. */
  get stream(): number {
    return this.#stream
  }

  #member(): number {
    this.#run(this.#end)
    return (shiftCrc32(this.#before, this.#length) ^ this.#stream) >>> 0
  }

  #skipTo(at: number): void {
    const member = this.#member()
    this.#run(at)
    this.#goOn(member, at)
  }

  #goOn(member: number, at: number): void {
    this.#before = member ^ this.#stream
    this.#length = 0
    this.#end = at
  }

  #run(to: number): void {
    if (to > this.#at) this.#stream = crc32(this.#window.subarray(this.#at, to), this.#stream)
    this.#at = to
  }
}
