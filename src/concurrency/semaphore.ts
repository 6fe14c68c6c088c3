/**
 * Limits how many acts go on at a time. Those that wait are served in the order in which they came, and give up their
 * place when their signal aborts.
 */
export class Semaphore {
  #free: number
  readonly #waiting = new Set<() => void>()
  /** Those that are served before the others. */
  readonly #urgent = new Set<() => void>()

  constructor(permits: number) {
    this.#free = permits
  }

  /** How many wait for a permit now. */
  get waiting(): number {
    return this.#waiting.size + this.#urgent.size
  }

  /**
   * Takes a permit, which the caller has to {@link release}.
   * @param o.isUrgent before those that are not, such as for an act that gave its permit back for a while
   * @throws the signal's reason
   */
  async acquire(signal?: AbortSignal, { isUrgent = false } = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting = isUrgent ? this.#urgent : this.#waiting
    const giveUp = () => {
      waiting.delete(resolve)
      reject(signal?.reason)
    }
    waiting.add(resolve)
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      // A permit is handed from its last owner to this one: nobody who comes later can take it first.
      await promise
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** Gives a permit back. */
  release(): void {
    const waiting = this.#urgent.size > 0 ? this.#urgent : this.#waiting
    const [next] = waiting
    if (next === undefined) {
      this.#free += 1
      return
    }
    waiting.delete(next)
    next()
  }

  /** Acts with a permit. @throws the signal's reason while it waits; what `act` throws */
  async run<Result>(act: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    await this.acquire(signal)
    try {
      return await act()
    } finally {
      this.release()
    }
  }
}
