import { pause } from '../../concurrency/abort.ts'
import { Semaphore } from '../../concurrency/semaphore.ts'
import { excusedWait } from '../../concurrency/stall-watch.ts'

/** Limits requests to one host: how many wait for an answer at a time, and none while the host asked for a pause. */
export class HostLimiter {
  readonly #requests: Semaphore
  #pausedUntil = 0
  /** Acts that go on or wait for their turn. */
  #running = 0

  constructor(limit: number) {
    this.#requests = new Semaphore(limit)
  }

  /** Whether nothing goes on, waits or is held up: a new one would do the same. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#left() <= 0
  }

  /** Lets no further request begin for this long: the host answered 429 or 503 with Retry-After. */
  pauseFor(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, Date.now() + ms)
  }

  /** Runs an act when there is room for it. @throws the signal's reason while it waits */
  async run<Result>(act: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    this.#running += 1
    try {
      await excusedWait(() => this.#requests.acquire(signal))
      try {
        await this.pauseIsOver(signal)
        return await act()
      } finally {
        this.#requests.release()
      }
    } finally {
      this.#running -= 1
    }
  }

  /** Waits until the host may be asked again. @throws the signal's reason */
  async pauseIsOver(signal?: AbortSignal): Promise<void> {
    for (let left = this.#left(); left > 0; left = this.#left()) {
      const ms = left
      await excusedWait(() => pause(ms, signal))
    }
  }

  #left(): number {
    return this.#pausedUntil - Date.now()
  }
}
