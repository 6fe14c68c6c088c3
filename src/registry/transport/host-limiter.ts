import { sleep } from '../../concurrency/abort.ts'
import { Semaphore } from '../../concurrency/semaphore.ts'
import { pauseStallWatch } from '../../concurrency/stall-watch.ts'
import { currentSpan } from '../../tracing/spans.ts'

/** Limits concurrent requests to one host, and holds all requests while the host's Retry-After lasts. */
export class HostLimiter {
  readonly #requests: Semaphore
  /** On the clock of `Date.now()`. */
  #pausedUntil = 0
  /** Tasks that run or wait for a permit. */
  #pending = 0

  constructor(limit: number) {
    this.#requests = new Semaphore(limit)
  }

  /** Whether a new limiter would behave the same: no task is pending and no pause is in effect. */
  get isIdle(): boolean {
    return this.#pending === 0 && this.#remainingPauseMs() <= 0
  }

  /** Starts no further request for `ms` milliseconds: the host responded 429 or 503 with Retry-After. */
  pauseFor(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, Date.now() + ms)
  }

  /** Runs a task under the limit. @throws the signal's reason while it waits */
  async run<Result>(task: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    this.#pending += 1
    try {
      await pauseStallWatch(() => this.#requests.acquire(signal))
      try {
        await this.waitForPause(signal)
        return await task()
      } finally {
        this.#requests.release()
      }
    } finally {
      this.#pending -= 1
    }
  }

  /** Waits until no pause is in effect. @throws the signal's reason */
  async waitForPause(signal?: AbortSignal): Promise<void> {
    for (let ms = this.#remainingPauseMs(); ms > 0; ms = this.#remainingPauseMs()) {
      const remainingMs = ms
      currentSpan().addEvent('waiting for Retry-After', { wait_ms: remainingMs })
      await pauseStallWatch(() => sleep(remainingMs, signal))
    }
  }

  #remainingPauseMs(): number {
    return this.#pausedUntil - Date.now()
  }
}
