import { pauseStallWatch } from './stall-watch.ts'

/** Results by key: work for a key is done once, and requests for it share its result or its failure. */
export class Memo<Result> {
  readonly #results = new Map<string, Promise<Result>>()

  /**
   * Returns the result for a key, which `compute` produces if nobody requested it before.
   * @throws what `compute` throws
   */
  get(key: string, compute: () => Promise<Result>): Promise<Result> {
    const cached = this.#results.get(key)
    if (cached) return pauseStallWatch(() => cached)
    const result = compute()
    this.#results.set(key, result)
    return result
  }

  clear(): void {
    this.#results.clear()
  }
}
