/** Wakes everyone who waits for a change. Costs little with thousands of waiters. */
export class Wakeup {
  #version = 0
  readonly #waiters = new Set<() => void>()

  /** Increases with every change. */
  get version(): number {
    return this.#version
  }

  wake(): void {
    this.#version += 1
    for (const waiter of this.#waiters) waiter()
  }

  /**
   * Resolves at the first change after `version`, at once if that has happened, after `ms`, or when `signal`
   * aborts. Never rejects.
   */
  wait(version: number, signal: AbortSignal, ms?: number): Promise<void> {
    if (this.#version !== version || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        this.#waiters.delete(end)
        signal.removeEventListener('abort', end)
        clearTimeout(timer)
        resolve()
      }
      const timer = ms === undefined ? undefined : setTimeout(end, ms)
      this.#waiters.add(end)
      signal.addEventListener('abort', end, { once: true })
    })
  }
}
