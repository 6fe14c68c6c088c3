import { unlessAborted } from '../concurrency/abort.ts'
import { Semaphore } from '../concurrency/semaphore.ts'
import type { AnalyzerProcess, AnalyzerTask } from './analyzer-process.ts'

/** Tasks that wait, and for how long; beyond it none is taken. */
const MAX_WAITING = 200
const MAX_WAIT_MS = 30_000
const BUSY_RETRY_MS = 2_000
/** A process that has nothing to do for so long is ended: what its last tasks took of memory, it keeps. */
const IDLE_MS = 60_000

/** More analyses wait than processes come to. */
export class AnalyzersBusy extends Error {
  override readonly name = 'AnalyzersBusy'
  readonly code = 'ANALYZERS_BUSY'
  readonly retryAfterMs = BUSY_RETRY_MS
  constructor() {
    super(
      'the processes that read records and images are busy, and others wait for them; RECORD_BROKER_ANALYZERS says how many there are',
    )
  }
}

/** A process that has nothing to do, and the timer that ends it, unless it is new. */
type Slot = { readonly process: AnalyzerProcess; ending?: NodeJS.Timeout }

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
    if (permits.some(({ waiting }) => waiting >= MAX_WAITING)) throw new AnalyzersBusy()
    const held: Semaphore[] = []
    const release = () => {
      for (const permit of held.splice(0)) permit.release()
    }
    let isRunning = false
    const patience = AbortSignal.timeout(MAX_WAIT_MS)
    const either = AbortSignal.any([task.signal, patience])
    try {
      for (const permit of permits) {
        await permit.acquire(either)
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
      if (isRunning) throw error
      release()
      throw error === patience.reason ? new AnalyzersBusy() : error
    }
  }

  /** Keeps a process ready, so that the first task finds one. */
  warmUp(): void {
    if (this.#all.size > 0) return
    try {
      this.#idle.push({ process: this.#started() })
    } catch {
      // The first task tries it again, and tells.
    }
  }

  #take(): AnalyzerProcess {
    for (let slot = this.#idle.pop(); slot; slot = this.#idle.pop()) {
      clearTimeout(slot.ending)
      if (slot.process.isAlive) return slot.process
    }
    return this.#started()
  }

  #started(): AnalyzerProcess {
    const process = this.#start()
    this.#all.add(process)
    process.exited.then(() => this.#all.delete(process))
    return process
  }

  #give(process: AnalyzerProcess): void {
    if (!process.isAlive) return
    const slot: Slot = { process }
    slot.ending = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(slot), 1)
      this.#all.delete(process)
      process.kill()
      this.warmUp()
    }, IDLE_MS).unref()
    this.#idle.push(slot)
  }

  /** Ends all processes, and what they do. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { ending } of this.#idle.splice(0)) clearTimeout(ending)
    const ended = [...this.#all].map((process) => {
      process.kill()
      return process.exited
    })
    await unlessAborted(Promise.all(ended), AbortSignal.timeout(BUSY_RETRY_MS)).catch(() => undefined)
  }
}
