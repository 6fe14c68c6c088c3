import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * The interval of the check. A watch counts its own ticks, so that time for which the process was suspended
 * does not count.
 */
const TICK_MS = 1_000

/** Work that moved no byte for too long. */
export class StalledError extends Error {
  override readonly name = 'StalledError'
  readonly code = 'STALLED'
  /** A connection or a disk that hung may work at the next attempt. */
  readonly retryable = true
  constructor(seconds: number) {
    super(
      `no byte moved for ${seconds} seconds; raise RECORD_BROKER_STALL_SECONDS if the registry or the disk is slow`,
    )
  }
}

const watches = new AsyncLocalStorage<StallWatch>()

/**
 * Aborts work that neither moves bytes nor waits for a known reason. Concurrent branches are watched
 * separately (see {@link watchBranch}), so that a branch that stalls is found although others make progress.
 */
export class StallWatch {
  readonly #seconds: number
  readonly #stop: AbortController
  #idleMs = 0
  #pauses = 0

  /** @param seconds without a byte, after which the work is aborted */
  constructor(seconds: number, stop = new AbortController()) {
    this.#seconds = seconds
    this.#stop = stop
  }

  /** Aborts with a {@link StalledError}, also when a branch stalls. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Watches an action and everything that it awaits. */
  async run<Result>(action: () => Promise<Result>): Promise<Result> {
    const ticking = setInterval(() => this.#tick(), TICK_MS).unref()
    try {
      return await watches.run(this, action)
    } finally {
      clearInterval(ticking)
    }
  }

  /** Creates a watch for one of several concurrent branches of this work. */
  branch(): StallWatch {
    return new StallWatch(this.#seconds, this.#stop)
  }

  /** Records that a byte moved. */
  readonly recordProgress = (): void => {
    this.#idleMs = 0
  }

  /** Waits without counting the time as a stall. */
  async pauseDuring<Result>(wait: () => Promise<Result>): Promise<Result> {
    this.#pauses += 1
    try {
      return await wait()
    } finally {
      this.#pauses -= 1
      this.recordProgress()
    }
  }

  #tick(): void {
    if (this.#pauses > 0) return
    this.#idleMs += TICK_MS
    if (this.#idleMs >= this.#seconds * 1000) this.#stop.abort(new StalledError(this.#seconds))
  }
}

/**
 * Waits for something that is not a stall of the surrounding work: a delay that a registry requested, a
 * permit, shared work, or free space on the disk.
 */
export function pauseStallWatch<Result>(wait: () => Promise<Result>): Promise<Result> {
  const watch = watches.getStore()
  return watch === undefined ? wait() : watch.pauseDuring(wait)
}

/**
 * Runs an action as one of several concurrent branches of the surrounding work, each of which has to make
 * progress.
 */
export function watchBranch<Result>(action: () => Promise<Result>): Promise<Result> {
  const watch = watches.getStore()
  return watch === undefined ? action() : watch.branch().run(action)
}

/**
 * Returns a callback that records progress of the surrounding work; callbacks that lost its async context may
 * call it, too.
 */
export function progressRecorder(): () => void {
  return watches.getStore()?.recordProgress ?? (() => undefined)
}
