import { sleep } from '../../concurrency/abort.ts'

/** Spaces requests evenly. */
export class Pacer {
  readonly #intervalMs: number
  #nextAt = 0

  /** @param perSecond the number of requests per second */
  constructor(perSecond: number) {
    this.#intervalMs = 1000 / perSecond
  }

  /** Waits until the next request may start. @throws the signal's reason */
  async take(signal?: AbortSignal): Promise<void> {
    const now = performance.now()
    const startAt = Math.max(now, this.#nextAt)
    this.#nextAt = startAt + this.#intervalMs
    if (startAt > now) await sleep(startAt - now, signal)
    else signal?.throwIfAborted()
  }
}
