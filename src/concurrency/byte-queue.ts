import { ReaderStopped } from './channel.ts'

/** Pieces of bytes from a writer to a reader. The writer waits only while more than a limit of bytes waits for the reader. */
export class ByteQueue implements AsyncIterable<Uint8Array> {
  readonly #limit: number
  readonly #pieces: Uint8Array[] = []
  #bytes = 0
  #isEnded = false
  #failure: { readonly reason: unknown } | undefined
  #changed = Promise.withResolvers<void>()

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Adds a piece, and waits while too many bytes wait. @throws the reason that {@link fail} was given */
  async write(piece: Uint8Array): Promise<void> {
    this.#throwIfFailed()
    this.#pieces.push(piece)
    this.#bytes += piece.length
    this.#wake()
    while (this.#bytes > this.#limit) {
      await this.#changed.promise
      this.#throwIfFailed()
    }
  }

  /** No piece follows. */
  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  /** The reader sees the error after the pieces that are there, and so does a writer that waits. */
  fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#pieces.shift()
        if (piece) {
          this.#bytes -= piece.length
          this.#wake()
          yield piece
          continue
        }
        if (this.#isEnded) return
        this.#throwIfFailed()
        await this.#changed.promise
      }
    } finally {
      this.#pieces.length = 0
      this.#bytes = 0
      this.fail(new ReaderStopped())
    }
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure.reason
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
