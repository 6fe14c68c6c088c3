import { Semaphore } from './semaphore.ts'

/** Acts on the same key happen one after the other, in the order in which they were asked for. */
export class KeyedMutex {
  readonly #locks = new Map<string, { readonly semaphore: Semaphore; users: number }>()

  /** Acts when nobody else acts on this key. @throws the signal's reason while it waits; what `act` throws */
  async run<Result>(key: string, act: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const lock = this.#locks.get(key) ?? { semaphore: new Semaphore(1), users: 0 }
    this.#locks.set(key, lock)
    lock.users += 1
    try {
      return await lock.semaphore.run(act, signal)
    } finally {
      lock.users -= 1
      if (lock.users === 0) this.#locks.delete(key)
    }
  }
}
