/**
 * Reads a stream of pieces byte by byte: peek, then skip. A piece of the stream must stay valid until the
 * next one is requested.
 */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>
  /** The bytes that were read from the stream and not skipped. */
  #buffer: Buffer = Buffer.alloc(0)
  /** How many of the bytes before the buffer are still valid in its memory. */
  #validBytesBefore = 0
  #position = 0
  #isEnded = false

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]()
  }

  /** Creates a source with the given bytes. */
  static ofBuffer(bytes: Buffer): ByteSource {
    const source = async function* () {
      yield bytes
    }
    return new ByteSource(source())
  }

  /** The number of bytes skipped so far. */
  get position(): number {
    return this.#position
  }

  /**
   * Returns the available bytes: at least `length` of them, unless the source ends before. Valid until the
   * next call.
   */
  async peek(length: number): Promise<Buffer> {
    if (this.#buffer.length >= length || this.#isEnded) return this.#buffer
    while (this.#buffer.length < length) {
      // Requesting the next piece invalidates the previous one, of which usually little is left.
      const rest = Buffer.from(this.#buffer)
      const next = await this.#pieces.next()
      if (next.done) {
        this.#buffer = rest
        this.#validBytesBefore = 0
        this.#isEnded = true
        break
      }
      const piece = asBuffer(next.value)
      this.#validBytesBefore = 0
      this.#buffer = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    }
    return this.#buffer
  }

  /** Skips bytes that were peeked at. */
  skip(length: number): void {
    this.#buffer = this.#buffer.subarray(length)
    this.#validBytesBefore += length
    this.#position += length
  }

  /** Reverts the skipping of the last bytes. */
  unskip(bytes: Buffer): void {
    const { length } = bytes
    const { buffer, byteOffset, byteLength } = this.#buffer
    this.#buffer =
      length <= this.#validBytesBefore
        ? Buffer.from(buffer, byteOffset - length, byteLength + length)
        : Buffer.concat([bytes, this.#buffer])
    this.#validBytesBefore = Math.max(0, this.#validBytesBefore - length)
    this.#position -= length
  }

  /** Closes the source if it was not read to its end. */
  async close(): Promise<void> {
    if (!this.#isEnded) await this.#pieces.return?.()
    this.#isEnded = true
  }
}

/** Returns a Buffer of the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
