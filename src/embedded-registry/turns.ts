/** Lets acts on the same key happen one after the other, in the order they were asked for. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Waits for the key's turn, acts, and passes the turn on, also when the act fails. */
  async take<Result>(key: string, act: () => Promise<Result>): Promise<Result> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(act)
    const ended = result.then(
      () => undefined,
      () => undefined,
    )
    this.#last.set(key, ended)
    try {
      return await result
    } finally {
      if (this.#last.get(key) === ended) this.#last.delete(key)
    }
  }
}
