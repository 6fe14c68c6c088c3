import { unlessAborted } from '../../concurrency/abort.ts'
import { Semaphore } from '../../concurrency/semaphore.ts'
import { excusedWait } from '../../concurrency/stall-watch.ts'
import type { LayerResults, LayerTask } from './layer-task.ts'
import { type Park, RunningTask, type RunOptions } from './running-task.ts'
import { Slot } from './slot.ts'
import { type LayerThread, startThread } from './start-thread.ts'

/**
 * Bytes of heap that a thread may have, unless told otherwise. What is kept of a layer's entries and the window of zstd lie
 * beside it, and have bounds of their own.
 */
export const DEFAULT_THREAD_MEMORY = 2 ** 29
/** Threads that may wait for the layers below theirs, for each that works: each holds the end of a layer in memory. */
const PARKED_PER_SLOT = 2

/**
 * Threads that work on layers, a layer each. Threads get bytes and settings, never credentials. One that failed or
 * was stopped is ended, so that no task meets what another left.
 */
export class ThreadPool implements AsyncDisposable {
  readonly #idle: LayerThread[] = []
  readonly #slots: Semaphore
  readonly #size: number
  readonly #memory: number
  /** Threads that wait, with no slot. */
  #parked = 0

  /**
   * @param size threads at the same time; they are started when they are needed
   * @param memory of the heap of each, in bytes
   */
  constructor(size: number, memory = DEFAULT_THREAD_MEMORY) {
    this.#slots = new Semaphore(size)
    this.#size = size
    this.#memory = memory
  }

  /**
   * Does a task on a free thread, after those that waited before it.
   * @throws LayerError; RecordError; ConversionError LAYER_THREAD_DIED, LAYER_THREAD_MEMORY; errors of input and write, and
   *   the signal's reason, unchanged
   */
  async run<Kind extends LayerTask['kind']>(
    task: LayerTask & { readonly kind: Kind },
    options: RunOptions = {},
  ): Promise<LayerResults[Kind]> {
    const { signal } = options
    await this.#enter(options)
    const slot = new Slot(this.#slots, signal)
    try {
      signal?.throwIfAborted()
      const thread = this.#idleThread() ?? startThread(this.#memory)
      try {
        const park: Park = (wait) => this.#park(slot, wait)
        const result = await new RunningTask(thread, options, this.#memory, park).run(task)
        if (this.#idle.length < this.#size) this.#idle.push(thread)
        else await thread.worker.terminate()
        return result as LayerResults[Kind]
      } catch (error) {
        await thread.worker.terminate()
        throw error
      }
    } finally {
      slot.end()
    }
  }

  /** Takes a slot. Where too many threads wait already, what may come to wait for other layers lets them go first. */
  async #enter({ added, signal }: RunOptions): Promise<void> {
    await excusedWait(() => this.#slots.acquire(signal))
    if (!added || this.#parked < PARKED_PER_SLOT * this.#size) return
    this.#slots.release()
    await excusedWait(() => unlessAborted(added.ready(), signal))
    await excusedWait(() => this.#slots.acquire(signal))
  }

  async #park<Result>(slot: Slot, wait: Promise<Result>): Promise<Result> {
    this.#parked += 1
    try {
      return await slot.without(wait)
    } finally {
      this.#parked -= 1
    }
  }

  /** One that waits for a task, those that died meanwhile left out. */
  #idleThread(): LayerThread | undefined {
    for (let thread = this.#idle.pop(); thread; thread = this.#idle.pop()) if (thread.isAlive) return thread
    return undefined
  }

  /** Ends the idle threads; call it when every run has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(({ worker }) => worker.terminate()))
  }
}
