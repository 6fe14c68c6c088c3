/** What a writer sees whose reader stopped early. Why it did is the reader's to say. */
export class ReaderStopped extends Error {
  override readonly name = 'ReaderStopped'
  constructor() {
    super('the reader stopped')
  }
}

/**
 * Hands items from a writer to a reader, one at a time: a write ends when the reader asks for the item after it, and is
 * thus done with this one. A failure of either side ends the wait of the other.
 */
export class Channel<Item> implements AsyncIterable<Item> {
  #item = settledBy<{ readonly value: Item } | undefined>()
  #taken = settledBy<void>()
  /** A failure outlasts the item that was on its way when it came. */
  #failure: { readonly reason: unknown } | undefined

  /** @throws the reason that {@link fail} was given, also when it was given while this waits */
  async write(value: Item): Promise<void> {
    if (this.#failure) throw this.#failure.reason
    this.#item.resolve({ value })
    await this.#taken.promise
  }

  /** No item follows. */
  end(): void {
    this.#item.resolve(undefined)
  }

  /** The reader sees the error in place of the next item, and so does a writer that waits. */
  fail(error: unknown): void {
    this.#failure ??= { reason: error }
    this.#item.reject(error)
    this.#taken.reject(error)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    try {
      for (;;) {
        const item = await this.#item.promise
        if (item === undefined) return
        yield item.value
        if (this.#failure) throw this.#failure.reason
        const taken = this.#taken
        this.#item = settledBy()
        this.#taken = settledBy()
        taken.resolve()
      }
    } finally {
      // A reader that stops early must not leave a writer waiting.
      this.fail(new ReaderStopped())
    }
  }
}

/** A promise whose rejection nobody has to see. */
function settledBy<Result>(): PromiseWithResolvers<Result> {
  const made = Promise.withResolvers<Result>()
  made.promise.catch(() => undefined)
  return made
}
