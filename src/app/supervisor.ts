import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'

/** The first pause before a restart. It doubles with each restart, up to the maximum. */
const INITIAL_PAUSE_MS = 500
const MAX_PAUSE_MS = 30_000
/** A worker that ran this long was healthy: the next restart waits for the first pause again. */
const HEALTHY_AFTER_MS = 60_000

/** Interval at which the main thread of a worker sends heartbeats. */
export const HEARTBEAT_MS = 1_000
/** A worker that misses this many heartbeats in a row hangs. */
const MAX_MISSED = 30
/** The same before the first heartbeat: the worker may have to migrate a large database. */
const MAX_MISSED_AT_START = 900

const NOT_STARTED = 'the worker could not be started'

/**
 * Makes glibc's allocator return memory to the system. By default it retains enough per thread for a worker
 * to use a fifth more. Other allocators ignore these variables.
 */
export const WORKER_MEMORY = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: String(1 << 20) }

export type WorkerSupervisorOptions = {
  readonly environment: Record<string, string | undefined>
  readonly log: Pick<Logger, 'error' | 'warn'>
  /** Called when a worker exited unexpectedly, before the next one starts. */
  readonly onDeath: (pid: number) => Promise<void>
  /** Called with each worker that was started. */
  readonly onStart?: (child: ChildProcess) => void
  /** How long a worker may take to stop before it is killed. */
  readonly stopMs: number
  /** Arguments of Node. Default: a worker of this broker. */
  readonly command?: readonly string[]
  /** The interval in which a heartbeat is expected. Default: {@link HEARTBEAT_MS}. */
  readonly tickMs?: number
}

/**
 * Supervises a worker process. When the worker dies or its main thread hangs, another one starts and takes
 * over its jobs. The worker stops by itself when this process dies.
 */
export class WorkerSupervisor {
  readonly #options: WorkerSupervisorOptions
  readonly #command: readonly string[]
  #child: ChildProcess | undefined
  #restart: NodeJS.Timeout | undefined
  #waitMs = INITIAL_PAUSE_MS
  #stopping = false

  constructor(options: WorkerSupervisorOptions) {
    this.#options = options
    this.#command = options.command ?? [fileURLToPath(new URL('../main.ts', import.meta.url)), 'worker']
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    const { log, onDeath } = this.#options
    const startedAt = performance.now()
    let child: ChildProcess
    try {
      child = this.#spawn()
    } catch (error) {
      // Node reports some spawn failures by an event and throws others, such as a lack of memory.
      this.#startLater({ err: error }, NOT_STARTED)
      return
    }
    this.#child = child
    this.#options.onStart?.(child)
    const watching = this.#watch(child)
    const onExit = (fields: object, message: string) => {
      clearInterval(watching)
      this.#child = undefined
      if (this.#stopping) return
      if (performance.now() - startedAt > HEALTHY_AFTER_MS) this.#waitMs = INITIAL_PAUSE_MS
      this.#startLater(fields, message)
    }
    child.on('error', (error) => {
      // A process that never started emits no exit event. A started one always does.
      if (child.pid === undefined) onExit({ err: error }, NOT_STARTED)
      else log.warn({ err: error }, 'the worker could not be signalled')
    })
    child.once('exit', (status, signal) => {
      // Without this the jobs are taken over when their leases expire.
      if (!this.#stopping) {
        onDeath(child.pid ?? 0).catch((error: unknown) =>
          log.warn(
            { err: error },
            'the leases of a dead worker were not released; they expire by themselves',
          ),
        )
      }
      onExit({ status, signal }, 'the worker exited')
    })
  }

  #spawn(): ChildProcess {
    // The worker stops when the channel closes, which also happens when this process dies.
    return spawn(process.execPath, [...this.#command], {
      env: { ...WORKER_MEMORY, ...this.#options.environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
  }

  #startLater(fields: object, message: string): void {
    this.#options.log.error(fields, `${message}; another one starts in ${this.#waitMs} ms`)
    this.#restart = setTimeout(() => this.start(), this.#waitMs)
    this.#waitMs = Math.min(this.#waitMs * 2, MAX_PAUSE_MS)
  }

  /**
   * Counts intervals of this process's own timer, so that a suspension of the whole machine does not count.
   */
  #watch(child: ChildProcess): NodeJS.Timeout {
    let missed = 0
    let maxMissed = MAX_MISSED_AT_START
    child.on('message', () => {
      missed = 0
      maxMissed = MAX_MISSED
    })
    return setInterval(() => {
      missed += 1
      if (missed <= maxMissed) return
      this.#options.log.error({ worker: child.pid, missed }, 'the worker hangs and is killed')
      child.kill('SIGKILL')
    }, this.#options.tickMs ?? HEARTBEAT_MS)
  }

  /** Stops the worker, which releases its jobs first. Kills it if that takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#restart)
    const child = this.#child
    // A process that never started emits no exit event.
    if (child?.pid === undefined) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), this.#options.stopMs)
    await exited
    clearTimeout(late)
  }
}
