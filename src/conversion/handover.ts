/**
 * Hands pieces from a writer to a reader, one at a time: a write ends when the reader asks for the piece after it, and
 * is thus done with this one.
 */
export class Handover implements AsyncIterable<Buffer> {
  #piece = Promise.withResolvers<Buffer | undefined>()
  #done = Promise.withResolvers<void>()
  /** A failure outlasts the piece that was on its way when it came. */
  #failure: { readonly reason: unknown } | undefined

  constructor() {
    // Whoever waits sees an error; there may be nobody.
    this.#piece.promise.catch(() => undefined)
    this.#done.promise.catch(() => undefined)
  }

  /** @throws what {@link fail} was told: a reader that stops has to be told of, too */
  async write(bytes: Buffer): Promise<void> {
    if (this.#failure) throw this.#failure.reason
    this.#piece.resolve(bytes)
    await this.#done.promise
  }

  end(): void {
    this.#piece.resolve(undefined)
  }

  /** The reader sees the error instead of the next piece, and so does a writer that waits. */
  fail(error: unknown): void {
    this.#failure ??= { reason: error }
    this.#piece.reject(error)
    this.#done.reject(error)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const piece = await this.#piece.promise
      if (piece === undefined) return
      yield piece
      if (this.#failure) throw this.#failure.reason
      const done = this.#done
      this.#piece = Promise.withResolvers()
      this.#done = Promise.withResolvers()
      this.#piece.promise.catch(() => undefined)
      this.#done.promise.catch(() => undefined)
      done.resolve()
    }
  }
}
