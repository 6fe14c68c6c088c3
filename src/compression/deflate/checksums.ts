import { crc32 } from 'node:zlib'
import { shiftCrc32 } from './crc-shift.ts'

/**
 * Computes the CRC-32 of a deflate stream and of the members that are composed of extents of streams, reading
 * every uncompressed byte once: the CRC of an extent follows from the CRCs of its stream up to the extent's
 * start and end. Positions are byte offsets in the window.
 */
export class Checksums {
  readonly #window: Buffer
  /** The CRC of the stream up to `#position`. */
  #streamCrc = 0
  #position = 0
  /** Where the last extent of the member ends, and how many contiguous bytes of it precede that. */
  #extentEnd = 0
  #extentLength = 0
  /**
   * The CRC of the stream up to the start of the extent, combined by exclusive or with that of the member up
   * to there.
   */
  #before = 0

  constructor(window: Buffer) {
    this.#window = window
  }

  /** Starts a stream at a position. */
  startStream(position: number): void {
    const memberCrc = this.#memberCrc()
    this.#streamCrc = 0
    this.#position = position
    this.#startExtent(memberCrc, position)
  }

  /** Adds bytes of the window to the member. They must follow those added before. */
  add(bytes: Buffer): void {
    if (bytes.byteOffset !== this.#extentEnd) this.#skipTo(bytes.byteOffset)
    this.#extentEnd += bytes.length
    this.#extentLength += bytes.length
  }

  /** Adds bytes to the member that belong to no stream. */
  addForeign(bytes: Buffer): void {
    this.#startExtent(crc32(bytes, this.#memberCrc()), this.#extentEnd)
  }

  /** Reads the stream up to a position, because the bytes before it are about to be discarded. */
  advance(end: number): void {
    if (this.#extentEnd !== end) this.#skipTo(end)
    this.#readTo(end)
  }

  /** Sets the position at which the stream continues, after the window's content moved. */
  rebase(position: number): void {
    this.#position = position
    this.#extentEnd = position
  }

  /** Ends the member. @returns its CRC */
  closeMember(): number {
    const memberCrc = this.#memberCrc()
    this.#startExtent(0, this.#extentEnd)
    return memberCrc
  }

  /** The CRC of the stream up to the position that {@link advance} reached last. */
  get streamCrc(): number {
    return this.#streamCrc
  }

  #memberCrc(): number {
    this.#readTo(this.#extentEnd)
    return (shiftCrc32(this.#before, this.#extentLength) ^ this.#streamCrc) >>> 0
  }

  #skipTo(position: number): void {
    const memberCrc = this.#memberCrc()
    this.#readTo(position)
    this.#startExtent(memberCrc, position)
  }

  #startExtent(memberCrc: number, position: number): void {
    this.#before = memberCrc ^ this.#streamCrc
    this.#extentLength = 0
    this.#extentEnd = position
  }

  #readTo(position: number): void {
    if (position > this.#position) {
      this.#streamCrc = crc32(this.#window.subarray(this.#position, position), this.#streamCrc)
    }
    this.#position = position
  }
}
