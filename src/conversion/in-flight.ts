/** Work under way, by key: whoever asks for the same work meanwhile shares its result. */
export class InFlight<Result> {
  readonly #running = new Map<string, Promise<Result>>()

  /**
   * Does the work, or waits for whoever does it. Work that fails for another (its job may have been cancelled) is done
   * again by whoever waited.
   */
  async run(key: string, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      const running = this.#running.get(key)
      if (!running) break
      try {
        return await Promise.race([running, rejection(signal)])
      } catch {
        signal.throwIfAborted()
      }
    }
    const own = work()
    this.#running.set(key, own)
    try {
      return await own
    } finally {
      this.#running.delete(key)
    }
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
