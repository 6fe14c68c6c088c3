import { unlessAborted } from '../concurrency/abort.ts'
import { Semaphore } from '../concurrency/semaphore.ts'
import type { AnalyzerProcess, AnalyzerTask } from './analyzer-process.ts'

/** Tasks that wait; beyond it none is taken. */
const MOST_WAITING = 200
const BUSY_RETRY_MS = 2_000
/** A process that has nothing to do for so long is ended: each holds some 80 MiB. */
const IDLE_MS = 60_000

/** More analyses wait than are taken. */
export class AnalyzersBusy extends Error {
  override readonly name = 'AnalyzersBusy'
  readonly code = 'ANALYZERS_BUSY'
  readonly retryAfterMs = BUSY_RETRY_MS
  constructor() {
    super(`${MOST_WAITING} requests wait for a process that reads records and images; come back later`)
  }
}

/** A process, and when it has nothing to do the timer that ends it. */
type Slot = { readonly process: AnalyzerProcess; idle?: NodeJS.Timeout }

/**
 * Processes that do what costs as much as a caller or a registry likes, one task each. They are started when they are
 * needed. A task that does not end soon after its abort ends with its process; so does one that takes more memory than the
 * operating system gives it.
 */
export class AnalyzerPool implements AsyncDisposable {
  readonly #start: () => AnalyzerProcess
  readonly #slots: Semaphore
  /** Tasks that ask registries may take long: one process less is theirs. */
  readonly #remoteSlots: Semaphore
  readonly #idle: Slot[] = []
  readonly #all = new Set<AnalyzerProcess>()

  /**
   * @param start a process, which need not be ready yet
   * @param size processes at a time
   */
  constructor(start: () => AnalyzerProcess, size: number) {
    this.#start = start
    this.#slots = new Semaphore(size)
    this.#remoteSlots = new Semaphore(Math.max(1, size - 1))
  }

  /**
   * Does a task when a process is free.
   * @param isRemote whether registries are asked
   * @throws AnalyzersBusy; AnalysisError; the signal's reason; what the input throws
   */
  async run(task: AnalyzerTask, isRemote: boolean): Promise<unknown> {
    const permits = isRemote ? [this.#remoteSlots, this.#slots] : [this.#slots]
    if (permits.some(({ waiting }) => waiting >= MOST_WAITING)) throw new AnalyzersBusy()
    const held: Semaphore[] = []
    const release = () => {
      for (const permit of held.splice(0)) permit.release()
    }
    let isRunning = false
    try {
      for (const permit of permits) {
        await permit.acquire(task.signal)
        held.push(permit)
      }
      const process = this.#take()
      isRunning = true
      return await process.run(task, () => {
        this.#give(process)
        release()
      })
    } catch (error) {
      // A process that runs the task gives its place up when it is free.
      if (!isRunning) release()
      throw error
    }
  }

  #take(): AnalyzerProcess {
    for (let slot = this.#idle.pop(); slot; slot = this.#idle.pop()) {
      clearTimeout(slot.idle)
      if (slot.process.isAlive) return slot.process
    }
    const process = this.#start()
    this.#all.add(process)
    process.exited.then(() => this.#all.delete(process))
    return process
  }

  #give(process: AnalyzerProcess): void {
    if (!process.isAlive) return
    const slot: Slot = { process }
    slot.idle = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(slot), 1)
      process.kill()
    }, IDLE_MS).unref()
    this.#idle.push(slot)
  }

  /** Ends all processes, and what they do. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { idle } of this.#idle.splice(0)) clearTimeout(idle)
    const ended = [...this.#all].map((process) => {
      process.kill()
      return process.exited
    })
    await unlessAborted(Promise.all(ended), AbortSignal.timeout(BUSY_RETRY_MS)).catch(() => undefined)
  }
}
