import { raceAbort } from '../concurrency/abort.ts'
import { Semaphore } from '../concurrency/semaphore.ts'
import type { AnalyzerProcess, AnalyzerTask } from './analyzer-process.ts'

/** The maximum number of waiting tasks, and how long each may wait, before tasks are rejected. */
const MAX_WAITING = 200
const MAX_WAIT_MS = 30_000
const BUSY_RETRY_MS = 2_000
/**
 * How long a process may be idle before it is killed, because a process keeps the memory that its tasks
 * allocated.
 */
const IDLE_MS = 60_000
/** How long disposal waits for the killed processes to exit. */
const DISPOSE_TIMEOUT_MS = 2_000

/** Too many analyses are waiting for a process. */
class AnalyzersBusyError extends Error {
  override readonly name = 'AnalyzersBusyError'
  readonly code = 'ANALYZERS_BUSY'
  readonly retryAfterMs = BUSY_RETRY_MS
  constructor() {
    super(
      'all processes that read records and images are busy, and too many requests are waiting for one; try again, or raise RECORD_BROKER_ANALYZERS',
    )
  }
}

/** Observes what happens to tasks. It must neither throw nor take time. */
export type AnalyzerObserver = {
  /** A task starts after it waited for a process. */
  onStart(waitedMs: number): void
  /** A task was refused, because too many were waiting. */
  onRefusal(): void
  /** A process was killed with its task, or died of it. */
  onDeath(): void
}

/** An idle process, and the timer that kills it. A process that was started in advance has no timer. */
type IdleProcess = { readonly process: AnalyzerProcess; timer?: NodeJS.Timeout }

/**
 * Processes for work whose cost a caller or a registry determines, one task each. They are started on demand.
 * A task that does not end soon after its abort is killed with its process, and so is a task that needs more
 * memory than the operating system allows the process.
 */
export class AnalyzerPool implements AsyncDisposable {
  readonly #start: () => AnalyzerProcess
  readonly #permits: Semaphore
  /** Tasks that send requests to registries can be slow, so they may occupy all processes but one. */
  readonly #remotePermits: Semaphore
  readonly #idle: IdleProcess[] = []
  readonly #all = new Set<AnalyzerProcess>()
  readonly #size: number
  readonly #observer: AnalyzerObserver | undefined

  /**
   * @param start starts a process, which need not be ready yet
   * @param size the maximum number of processes
   */
  constructor(start: () => AnalyzerProcess, size: number, observer?: AnalyzerObserver) {
    this.#start = start
    this.#size = size
    this.#observer = observer
    this.#permits = new Semaphore(size)
    this.#remotePermits = new Semaphore(Math.max(1, size - 1))
  }

  /** `waiting` is the number of tasks that wait for a process. */
  get usage(): { readonly limit: number; readonly busy: number; readonly waiting: number } {
    const { freePermits } = this.#permits
    const waiting = this.#permits.waiting + this.#remotePermits.waiting
    return { limit: this.#size, busy: this.#size - freePermits, waiting }
  }

  /**
   * Runs a task when a process is free.
   * @param isRemote whether the task sends requests to registries
   * @throws AnalyzersBusyError; AnalysisError; the signal's reason; the error of the input
   */
  async run(task: AnalyzerTask, isRemote: boolean): Promise<unknown> {
    const required = isRemote ? [this.#remotePermits, this.#permits] : [this.#permits]
    if (required.some(({ waiting }) => waiting >= MAX_WAITING)) throw this.#busyError()
    const requestedAt = performance.now()
    const held: Semaphore[] = []
    const release = () => {
      for (const permit of held.splice(0)) permit.release()
    }
    let isRunning = false
    const timeout = AbortSignal.timeout(MAX_WAIT_MS)
    const waitSignal = AbortSignal.any([task.signal, timeout])
    try {
      for (const permit of required) {
        await permit.acquire(waitSignal)
        held.push(permit)
      }
      const process = this.#takeIdle() ?? this.#startProcess()
      this.#observer?.onStart(performance.now() - requestedAt)
      isRunning = true
      return await process.run(task, () => {
        this.#addIdle(process)
        release()
      })
    } catch (error) {
      // A running process releases the permits itself, when it is free.
      if (isRunning) throw error
      release()
      throw error === timeout.reason ? this.#busyError() : error
    }
  }

  /** Starts a process if there is none, so that the next task need not wait for it. */
  warmUp(): void {
    if (this.#all.size > 0) return
    try {
      this.#idle.push({ process: this.#startProcess() })
    } catch {
      // The next task tries again, and reports the error.
    }
  }

  #takeIdle(): AnalyzerProcess | undefined {
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      clearTimeout(idle.timer)
      if (idle.process.isAlive) return idle.process
    }
    return undefined
  }

  #startProcess(): AnalyzerProcess {
    const process = this.#start()
    this.#all.add(process)
    process.exited.then(() => {
      if (process.hasDiedBusy) this.#observer?.onDeath()
      this.#all.delete(process)
    })
    return process
  }

  #busyError(): AnalyzersBusyError {
    this.#observer?.onRefusal()
    return new AnalyzersBusyError()
  }

  #addIdle(process: AnalyzerProcess): void {
    if (!process.isAlive) return
    const idle: IdleProcess = { process }
    idle.timer = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(idle), 1)
      this.#all.delete(process)
      process.kill()
      this.warmUp()
    }, IDLE_MS).unref()
    this.#idle.push(idle)
  }

  /** Kills all processes with their tasks. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { timer } of this.#idle.splice(0)) clearTimeout(timer)
    const exits = [...this.#all].map((process) => {
      process.kill()
      return process.exited
    })
    await raceAbort(Promise.all(exits), AbortSignal.timeout(DISPOSE_TIMEOUT_MS)).catch(() => undefined)
  }
}
