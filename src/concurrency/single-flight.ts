import { unlessAborted } from './abort.ts'
import { excusedWait } from './stall-watch.ts'

/** Work that is under way, by key. Whoever asks for the same work meanwhile shares its result. */
export class SingleFlight<Result> {
  readonly #running = new Map<string, Promise<Result>>()

  /**
   * Does the work, or waits for whoever does it. Work that failed for another caller, whose job may have been cancelled,
   * is done again by one of those who waited.
   * @throws the signal's reason while it waits; what `work` throws
   */
  async run(key: string, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      const running = this.#running.get(key)
      if (!running) break
      try {
        return await excusedWait(() => unlessAborted(running, signal))
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
