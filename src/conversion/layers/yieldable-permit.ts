import { raceAbort } from '../../concurrency/abort.ts'
import type { Semaphore } from '../../concurrency/semaphore.ts'

/** A semaphore permit that its task can yield to others while it waits. */
export class YieldablePermit {
  readonly #permits: Semaphore
  readonly #signal: AbortSignal | undefined
  readonly #closing = new AbortController()
  #isHeld = true

  /** @param permits the semaphore, of which the caller has acquired a permit */
  constructor(permits: Semaphore, signal: AbortSignal | undefined) {
    this.#permits = permits
    this.#signal = signal
  }

  /**
   * Releases the permit, awaits the promise, and acquires a permit again with priority over new tasks.
   * @throws the error of the promise; the signal's reason; an Error if the permit was closed meanwhile
   */
  async yieldDuring<Result>(promise: Promise<Result>): Promise<Result> {
    this.#release()
    const signal = this.#signal ? AbortSignal.any([this.#signal, this.#closing.signal]) : this.#closing.signal
    const result = await raceAbort(promise, signal)
    await this.#permits.acquire(signal, { isUrgent: true })
    this.#isHeld = true
    // The permit may have been closed in the microtask in which it was acquired.
    if (this.#closing.signal.aborted) this.#release()
    return result
  }

  /** Releases the permit for good, also while it is yielded. */
  close(): void {
    this.#closing.abort(new Error('the task has ended'))
    this.#release()
  }

  #release(): void {
    if (this.#isHeld) this.#permits.release()
    this.#isHeld = false
  }
}
