import { setImmediate as nextTurn } from 'node:timers/promises'

/** Longest time that a series of small steps blocks the event loop. */
const MAX_TURN_MS = 5

/** Splits long work into turns of the event loop, so that other requests are served in between. */
export class EventLoopYielder {
  readonly #signal: AbortSignal | undefined
  #turnStartedAt = performance.now()

  /** @param signal stops the work at its next yield */
  constructor(signal?: AbortSignal) {
    this.#signal = signal
  }

  /**
   * Call between two steps: yields to the event loop if this turn is longer than 5 ms.
   * @throws the signal's reason
   */
  async yieldIfDue(): Promise<void> {
    if (performance.now() - this.#turnStartedAt < MAX_TURN_MS) return
    await nextTurn()
    this.#signal?.throwIfAborted()
    this.#turnStartedAt = performance.now()
  }
}
