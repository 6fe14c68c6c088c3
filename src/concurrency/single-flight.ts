import { raceAbort } from './abort.ts'
import { pauseStallWatch } from './stall-watch.ts'

/** Work in progress, by key. Callers that request the same work meanwhile share its result. */
export class SingleFlight<Result> {
  readonly #inProgress = new Map<string, Promise<Result>>()

  /**
   * Does the work, or waits for the caller that does it. When the work of another caller fails, for instance
   * because its job was cancelled, one of the waiting callers does the work itself.
   * @throws the signal's reason while it waits; what `work` throws
   */
  async run(key: string, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      const shared = this.#inProgress.get(key)
      if (!shared) break
      try {
        return await pauseStallWatch(() => raceAbort(shared, signal))
      } catch {
        signal.throwIfAborted()
      }
    }
    const own = work()
    this.#inProgress.set(key, own)
    try {
      return await own
    } finally {
      this.#inProgress.delete(key)
    }
  }
}
