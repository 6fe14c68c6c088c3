/**
 * Reads something that may be slow or fail, for callers that do not wait long: a result is reused for a while,
 * callers share a read in progress, and a read that takes too long counts as failed until it ends.
 */
export class CachedRead<Value> {
  readonly #read: () => Promise<Value>
  readonly #maxAgeMs: number
  readonly #timeoutMs: number
  #latest: { readonly value: Value; readonly readAt: number } | undefined
  #reading: Promise<void> | undefined

  /** @param options.timeoutMs how long a caller waits for a read */
  constructor(
    read: () => Promise<Value>,
    { maxAgeMs, timeoutMs }: { readonly maxAgeMs: number; readonly timeoutMs: number },
  ) {
    this.#read = read
    this.#maxAgeMs = maxAgeMs
    this.#timeoutMs = timeoutMs
  }

  /** Returns a value that is not older than allowed, or undefined if it could not be read in time. */
  async get(): Promise<Value | undefined> {
    if (!this.#isFresh) {
      this.#reading ??= this.#refresh()
      let timer: NodeJS.Timeout | undefined
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, this.#timeoutMs)
      })
      await Promise.race([this.#reading, timeout])
      clearTimeout(timer)
    }
    return this.#isFresh ? this.#latest?.value : undefined
  }

  get #isFresh(): boolean {
    return this.#latest !== undefined && performance.now() - this.#latest.readAt <= this.#maxAgeMs
  }

  async #refresh(): Promise<void> {
    try {
      const readAt = performance.now()
      this.#latest = { value: await this.#read(), readAt }
    } catch {
      // The caller sees that there is no value.
    } finally {
      this.#reading = undefined
    }
  }
}
