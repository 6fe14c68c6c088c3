/** Reads a stream of pieces by the byte: look ahead, then take. */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>
  #buffer: Buffer = Buffer.alloc(0)
  #position = 0
  #ended = false

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#pieces = source[Symbol.asyncIterator]()
  }

  /** Bytes taken so far. */
  get position(): number {
    return this.#position
  }

  /** Everything at hand; at least `length` bytes unless the source ends before. Valid until the next call. */
  async peek(length: number): Promise<Buffer> {
    if (this.#buffer.length >= length || this.#ended) return this.#buffer
    const parts = [this.#buffer]
    let have = this.#buffer.length
    while (have < length) {
      const next = await this.#pieces.next()
      if (next.done) {
        this.#ended = true
        break
      }
      parts.push(asBuffer(next.value))
      have += next.value.length
    }
    this.#buffer =
      parts.length === 2 && parts[0]?.length === 0 ? (parts[1] ?? this.#buffer) : Buffer.concat(parts)
    return this.#buffer
  }

  /** Passes over bytes that were peeked at. */
  skip(length: number): void {
    this.#buffer = this.#buffer.subarray(length)
    this.#position += length
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
