import { excusedWait } from './stall-watch.ts'

/** Results by key: the same work asked for again, also while it is still done, is done once. */
export class Memo<Result> {
  readonly #results = new Map<string, Promise<Result>>()

  get(key: string, make: () => Promise<Result>): Promise<Result> {
    const known = this.#results.get(key)
    if (known) return excusedWait(() => known)
    const made = make()
    this.#results.set(key, made)
    return made
  }

  clear(): void {
    this.#results.clear()
  }
}
