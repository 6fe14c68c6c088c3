/**
 * Hands pieces from a writer to a reader, one at a time: a write ends when the reader asks for the piece after it, and
 * is thus done with this one.
 */
export class Handover implements AsyncIterable<Buffer> {
  #piece = Promise.withResolvers<Buffer | undefined>()
  #done = Promise.withResolvers<void>()

  constructor() {
    // Whoever waits sees an error; there may be nobody.
    this.#piece.promise.catch(() => undefined)
    this.#done.promise.catch(() => undefined)
  }

  /** @throws what {@link fail} was told: a reader that stops has to be told of, too */
  write(bytes: Buffer): Promise<void> {
    this.#piece.resolve(bytes)
    return this.#done.promise
  }

  end(): void {
    this.#piece.resolve(undefined)
  }

  /** The reader sees the error instead of the next piece, and so does a writer that waits. */
  fail(error: unknown): void {
    this.#piece.reject(error)
    this.#done.reject(error)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = await this.#piece.promise
      if (piece === undefined) return
      yield piece
      const done = this.#done
      this.#piece = Promise.withResolvers()
      this.#done = Promise.withResolvers()
      this.#piece.promise.catch(() => undefined)
      this.#done.promise.catch(() => undefined)
      done.resolve()
    }
  }
}
