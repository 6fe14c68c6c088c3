/** Reads a stream of pieces by the byte: look ahead, then take. A piece has to be valid until the next one is asked for. */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>
  /** What is at hand, and how many bytes in front of it are still valid. */
  #buffer: Buffer = Buffer.alloc(0)
  #behind = 0
  #position = 0
  #ended = false

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]()
  }

  /** Of bytes that are all at hand. */
  static of(bytes: Buffer): ByteSource {
    const source = async function* () {
      yield bytes
    }
    return new ByteSource(source())
  }

  /** Bytes taken so far. */
  get position(): number {
    return this.#position
  }

  /** Everything at hand; at least `length` bytes unless the source ends before. Valid until the next call. */
  async peek(length: number): Promise<Buffer> {
    if (this.#buffer.length >= length || this.#ended) return this.#buffer
    while (this.#buffer.length < length) {
      // Asking for the next piece ends the one before, of which little is left as a rule.
      const left = Buffer.from(this.#buffer)
      const next = await this.#pieces.next()
      if (next.done) {
        this.#buffer = left
        this.#behind = 0
        this.#ended = true
        break
      }
      const piece = asBuffer(next.value)
      this.#behind = 0
      this.#buffer = left.length === 0 ? piece : Buffer.concat([left, piece])
    }
    return this.#buffer
  }

  /** Passes over bytes that were peeked at. */
  skip(length: number): void {
    this.#buffer = this.#buffer.subarray(length)
    this.#behind += length
    this.#position += length
  }

  /** Gives back the last bytes that were passed over. */
  giveBack(bytes: Buffer): void {
    const { length } = bytes
    const { buffer, byteOffset, byteLength } = this.#buffer
    this.#buffer =
      length <= this.#behind
        ? Buffer.from(buffer, byteOffset - length, byteLength + length)
        : Buffer.concat([bytes, this.#buffer])
    this.#behind = Math.max(0, this.#behind - length)
    this.#position -= length
  }

  /** Lets go of the source when reading stops before its end. */
  async close(): Promise<void> {
    if (!this.#ended) await this.#pieces.return?.()
    this.#ended = true
  }
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
