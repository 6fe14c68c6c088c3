import { AsyncLocalStorage } from 'node:async_hooks'

/** How often a watch looks. It counts its own ticks, so that time in which the process was suspended does not count. */
const TICK_MS = 1_000

/** Work whose bytes stood still for too long. */
export class StalledError extends Error {
  override readonly name = 'StalledError'
  readonly code = 'STALLED'
  /** A connection or a disk that hangs may work the next time. */
  readonly retryable = true
  constructor(seconds: number) {
    super(`no byte moved for ${seconds} seconds; RECORD_BROKER_STALL_SECONDS says how long that may be`)
  }
}

const watches = new AsyncLocalStorage<StallWatch>()

/**
 * Sees to it that work moves bytes or waits for a known reason. Acts that go on side by side are watched each by itself
 * (see {@link watchedBranch}): one that stands still is found although others move.
 */
export class StallWatch {
  readonly #seconds: number
  readonly #stop: AbortController
  #stillMs = 0
  #excuses = 0

  /** @param seconds without a byte, after which the work is aborted */
  constructor(seconds: number, stop = new AbortController()) {
    this.#seconds = seconds
    this.#stop = stop
  }

  /** Aborts with a {@link StalledError}, also for a branch that stands still. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Watches an act with all that it awaits. */
  async run<Result>(act: () => Promise<Result>): Promise<Result> {
    const ticking = setInterval(() => this.#tick(), TICK_MS).unref()
    try {
      return await watches.run(this, act)
    } finally {
      clearInterval(ticking)
    }
  }

  /** A watch of the same work for one of several acts side by side. */
  branch(): StallWatch {
    return new StallWatch(this.#seconds, this.#stop)
  }

  /** A byte moved. */
  readonly moved = (): void => {
    this.#stillMs = 0
  }

  /** Waits without counting as standing still. */
  async excuse<Result>(wait: () => Promise<Result>): Promise<Result> {
    this.#excuses += 1
    try {
      return await wait()
    } finally {
      this.#excuses -= 1
      this.moved()
    }
  }

  #tick(): void {
    if (this.#excuses > 0) return
    this.#stillMs += TICK_MS
    if (this.#stillMs >= this.#seconds * 1000) this.#stop.abort(new StalledError(this.#seconds))
  }
}

/**
 * Waits for something that is no standing still of the work that this is part of: a pause that a registry asked for, a
 * slot, work that is shared, room on the disk.
 */
export function excusedWait<Result>(wait: () => Promise<Result>): Promise<Result> {
  const watch = watches.getStore()
  return watch === undefined ? wait() : watch.excuse(wait)
}

/** Acts as one of several acts side by side, each of which has to move. */
export function watchedBranch<Result>(act: () => Promise<Result>): Promise<Result> {
  const watch = watches.getStore()
  return watch === undefined ? act() : watch.branch().run(act)
}

/** What to call when a byte moved for the work that this is part of; also from callbacks that lost its context. */
export function currentMovement(): () => void {
  return watches.getStore()?.moved ?? (() => undefined)
}
