import { raceAbort } from '../../concurrency/abort.ts'
import { Semaphore } from '../../concurrency/semaphore.ts'
import { pauseStallWatch } from '../../concurrency/stall-watch.ts'
import type { LayerResults, LayerTask } from './layer-task.ts'
import { RunningTask, type TaskOptions } from './running-task.ts'
import { type LayerThread, startThread } from './start-thread.ts'
import { YieldablePermit } from './yieldable-permit.ts'

/**
 * The default bound on the heap of a thread. The columns of a layer's entries and the window of zstd are
 * outside the heap, and have bounds of their own.
 */
export const DEFAULT_THREAD_MEMORY_BYTES = 2 ** 29
/** Threads that may wait for lower layers, for each permit. Each holds the end of a layer in memory. */
const MAX_WAITING_PER_PERMIT = 2

/**
 * Threads that process layers, one layer each. They receive bytes and settings, but never credentials. A
 * thread whose task failed or was aborted is terminated, so that no task sees the state of another.
 */
export class ThreadPool implements AsyncDisposable {
  readonly #idle: LayerThread[] = []
  readonly #permits: Semaphore
  readonly #size: number
  readonly #memoryBytes: number
  /** The number of threads that wait for lower layers without a permit. */
  #waiting = 0

  /**
   * @param size the number of threads that work at the same time; each is started on demand
   * @param memoryBytes the bound on the heap of each thread
   */
  constructor(size: number, memoryBytes = DEFAULT_THREAD_MEMORY_BYTES) {
    this.#permits = new Semaphore(size)
    this.#size = size
    this.#memoryBytes = memoryBytes
  }

  /** `waiting` is the number of layers that wait for a thread. */
  get usage(): { readonly limit: number; readonly busy: number; readonly waiting: number } {
    const { freePermits, waiting } = this.#permits
    return { limit: this.#size, busy: this.#size - freePermits, waiting }
  }

  /**
   * Performs a task on a free thread, in the order of the calls.
   * @throws LayerError; RecordError; ConversionError LAYER_THREAD_DIED, LAYER_THREAD_MEMORY; the errors of
   * `input` and `write`,
   *   and the signal's reason, unchanged
   */
  async run<Kind extends LayerTask['kind']>(
    task: LayerTask & { readonly kind: Kind },
    options: TaskOptions = {},
  ): Promise<LayerResults[Kind]> {
    const { signal } = options
    await this.#acquire(options)
    const permit = new YieldablePermit(this.#permits, signal)
    try {
      signal?.throwIfAborted()
      const thread = this.#takeIdle() ?? startThread(this.#memoryBytes)
      try {
        const running = new RunningTask(thread, options, (promise) => this.#yieldDuring(permit, promise))
        const result = await running.run(task)
        if (this.#idle.length < this.#size) this.#idle.push(thread)
        else await thread.worker.terminate()
        return result as LayerResults[Kind]
      } catch (error) {
        await thread.worker.terminate()
        throw error
      }
    } finally {
      permit.close()
    }
  }

  /**
   * Acquires a permit. If too many threads wait already, a task that may wait for lower layers starts after
   * those.
   */
  async #acquire({ directories, signal }: TaskOptions): Promise<void> {
    await pauseStallWatch(() => this.#permits.acquire(signal))
    if (!directories || this.#waiting < MAX_WAITING_PER_PERMIT * this.#size) return
    this.#permits.release()
    await pauseStallWatch(() => raceAbort(directories.whenReady(), signal))
    await pauseStallWatch(() => this.#permits.acquire(signal))
  }

  async #yieldDuring<Result>(permit: YieldablePermit, promise: Promise<Result>): Promise<Result> {
    this.#waiting += 1
    try {
      return await permit.yieldDuring(promise)
    } finally {
      this.#waiting -= 1
    }
  }

  /** Takes an idle thread, and drops those that have died. */
  #takeIdle(): LayerThread | undefined {
    for (let thread = this.#idle.pop(); thread; thread = this.#idle.pop()) if (thread.isAlive) return thread
    return undefined
  }

  /** Terminates the idle threads. Call it after all tasks have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(({ worker }) => worker.terminate()))
  }
}
