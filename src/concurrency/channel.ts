/** Thrown in a writer whose reader stopped early. The reader itself reports why it stopped. */
export class ReaderStoppedError extends Error {
  override readonly name = 'ReaderStoppedError'
  constructor() {
    super('the reader stopped')
  }
}

/**
 * Passes items from one writer to one reader without buffering: a write resolves when the reader requests the
 * next item, and has thus finished with this one. A failure of either side ends the other side's wait.
 */
export class Channel<Item> implements AsyncIterable<Item> {
  #item = withHandledRejection<{ readonly value: Item } | undefined>()
  #consumed = withHandledRejection<void>()
  /** Kept apart from the promises: an item may already be on its way when the failure occurs. */
  #failure: { readonly reason: unknown } | undefined

  /** Passes an item. @throws the reason passed to {@link fail}, before or during the wait */
  async write(value: Item): Promise<void> {
    if (this.#failure) throw this.#failure.reason
    this.#item.resolve({ value })
    await this.#consumed.promise
  }

  /** Ends the channel: no item follows. */
  end(): void {
    this.#item.resolve(undefined)
  }

  /** Throws the reason in the reader in place of the next item, and in a writer that waits. */
  fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#item.reject(reason)
    this.#consumed.reject(reason)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    try {
      for (;;) {
        const item = await this.#item.promise
        if (item === undefined) return
        yield item.value
        if (this.#failure) throw this.#failure.reason
        const consumed = this.#consumed
        this.#item = withHandledRejection()
        this.#consumed = withHandledRejection()
        consumed.resolve()
      }
    } finally {
      // A reader that stops early must not leave a writer waiting.
      this.fail(new ReaderStoppedError())
    }
  }
}

/** Returns a promise whose rejection may go unobserved. */
function withHandledRejection<Result>(): PromiseWithResolvers<Result> {
  const resolvers = Promise.withResolvers<Result>()
  resolvers.promise.catch(() => undefined)
  return resolvers
}
