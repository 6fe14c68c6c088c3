import { pause } from './retry.ts'

/** Limits requests to one host: how many wait for an answer at a time, and none while the host asked for a pause. */
export class Gate {
  readonly #limit: number
  readonly #waiting: (() => void)[] = []
  #running = 0
  #closedUntil = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Lets no further request begin for this long: the host answered 429 or 503 with Retry-After. */
  holdFor(ms: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, Date.now() + ms)
  }

  /** Runs an act when there is room for it. */
  async pass<Result>(act: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    await this.#enter(signal)
    try {
      await this.opened(signal)
      return await act()
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }

  /** Waits until the host may be asked again. */
  async opened(signal?: AbortSignal): Promise<void> {
    for (let left = this.#left(); left > 0; left = this.#left()) await pause(left, signal)
  }

  #left(): number {
    return this.#closedUntil - Date.now()
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#running >= this.#limit) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const leave = () => {
        const at = this.#waiting.indexOf(resolve)
        if (at >= 0) this.#waiting.splice(at, 1)
        reject(signal?.reason)
      }
      this.#waiting.push(resolve)
      signal?.addEventListener('abort', leave, { once: true })
      await promise.finally(() => signal?.removeEventListener('abort', leave))
    }
    this.#running += 1
  }
}
