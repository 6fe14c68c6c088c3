import { Semaphore } from './semaphore.ts'

/** A mutex per key: actions with the same key run one after the other, in the order of their calls. */
export class KeyedMutex {
  readonly #locks = new Map<string, { readonly semaphore: Semaphore; users: number }>()

  /**
   * Runs an action while no other one runs with this key.
   * @throws the signal's reason while it waits; what the action throws
   */
  async run<Result>(key: string, action: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const lock = this.#locks.get(key) ?? { semaphore: new Semaphore(1), users: 0 }
    this.#locks.set(key, lock)
    lock.users += 1
    try {
      return await lock.semaphore.run(action, signal)
    } finally {
      lock.users -= 1
      if (lock.users === 0) this.#locks.delete(key)
    }
  }
}
