/**
 * Limits how many actions run at a time. Waiting callers get permits in the order of their calls, and leave
 * the queue when their signal aborts.
 */
export class Semaphore {
  #freePermits: number
  readonly #queue = new Set<() => void>()
  /** Served before {@link #queue}. */
  readonly #urgentQueue = new Set<() => void>()

  constructor(permits: number) {
    this.#freePermits = permits
  }

  /** The number of permits that nobody holds. */
  get freePermits(): number {
    return this.#freePermits
  }

  /** The number of callers that wait for a permit. */
  get waiting(): number {
    return this.#queue.size + this.#urgentQueue.size
  }

  /**
   * Acquires a permit, which the caller has to {@link release}.
   * @param o.isUrgent served before callers that are not urgent, for instance because the action gave its
   *   permit up for a while
   * @throws the signal's reason
   */
  async acquire(signal?: AbortSignal, { isUrgent = false } = {}): Promise<void> {
    signal?.throwIfAborted()
    if (this.#freePermits > 0) {
      this.#freePermits -= 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const queue = isUrgent ? this.#urgentQueue : this.#queue
    const abort = () => {
      queue.delete(resolve)
      reject(signal?.reason)
    }
    queue.add(resolve)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      // `release` hands the permit over directly, so that no later caller can acquire it first.
      await promise
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  release(): void {
    const queue = this.#urgentQueue.size > 0 ? this.#urgentQueue : this.#queue
    const [next] = queue
    if (next === undefined) {
      this.#freePermits += 1
      return
    }
    queue.delete(next)
    next()
  }

  /** Runs an action with a permit. @throws the signal's reason while it waits; what the action throws */
  async run<Result>(action: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    await this.acquire(signal)
    try {
      return await action()
    } finally {
      this.release()
    }
  }
}
