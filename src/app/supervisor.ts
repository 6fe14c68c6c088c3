import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'

const RESTART_FIRST_MS = 500
const RESTART_LONGEST_MS = 30_000
/** A worker that ran for so long was sound: the next restart is quick again. */
const SOUND_AFTER_MS = 60_000

/** How often the main thread of a worker shows that it moves. */
export const HEARTBEAT_MS = 1_000
/** A worker that misses so many heartbeats in a row stands still. */
const MISSED_BEATS = 30
/** Before its first one: it may have to bring a large database up to date. */
const MISSED_BEFORE_FIRST = 900

const NOT_STARTED = 'the worker cannot be started'

/**
 * How glibc's allocator gives memory back: by itself it keeps so much for each thread that a worker takes a fifth more.
 * Other allocators do not look at these.
 */
export const WORKER_MEMORY = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: String(1 << 20) }

export type WorkerProcessOptions = {
  readonly environment: Record<string, string | undefined>
  readonly log: Pick<Logger, 'error' | 'warn'>
  /** Told when a worker ended by itself, before the next one starts. */
  readonly died: (pid: number) => Promise<void>
  /** How long a worker may take to stop. */
  readonly stopMs: number
  /** Arguments of Node; left out: a worker of this broker. */
  readonly command?: readonly string[]
  /** How long a tick is in which a heartbeat is expected; left out: {@link HEARTBEAT_MS}. */
  readonly tickMs?: number
}

/**
 * Keeps a worker process of this broker running: when it dies, or when its main thread stands still, another one starts and
 * takes up its jobs. The worker stops by itself when this process dies.
 */
export class WorkerProcess {
  readonly #options: WorkerProcessOptions
  readonly #command: readonly string[]
  #child: ChildProcess | undefined
  #restart: NodeJS.Timeout | undefined
  #waitMs = RESTART_FIRST_MS
  #stopping = false

  constructor(options: WorkerProcessOptions) {
    this.#options = options
    this.#command = options.command ?? [fileURLToPath(new URL('../main.ts', import.meta.url)), 'worker']
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    const { log, died } = this.#options
    const startedAt = performance.now()
    let child: ChildProcess
    try {
      child = this.#spawn()
    } catch (error) {
      // Node tells of some failures by an event, and throws at others, such as a lack of memory.
      this.#startLater({ err: error }, NOT_STARTED)
      return
    }
    this.#child = child
    const watching = this.#watch(child)
    const over = (fields: object, what: string) => {
      clearInterval(watching)
      this.#child = undefined
      if (this.#stopping) return
      if (performance.now() - startedAt > SOUND_AFTER_MS) this.#waitMs = RESTART_FIRST_MS
      this.#startLater(fields, what)
    }
    child.on('error', (error) => {
      // What was never started has no exit. What was started has one, whatever else went wrong.
      if (child.pid === undefined) over({ err: error }, NOT_STARTED)
      else log.warn({ err: error }, 'the worker was not reached')
    })
    child.once('exit', (status, signal) => {
      // What it did is taken up again in any case, when its lease runs out.
      if (!this.#stopping) {
        died(child.pid ?? 0).catch((error: unknown) => log.warn({ err: error }, 'leases stay'))
      }
      over({ status, signal }, 'the worker ended')
    })
  }

  #spawn(): ChildProcess {
    // The end of the channel tells the worker that this process is gone.
    return spawn(process.execPath, [...this.#command], {
      env: { ...WORKER_MEMORY, ...this.#options.environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
  }

  #startLater(fields: object, what: string): void {
    this.#options.log.error(fields, `${what}; another one starts in ${this.#waitMs} ms`)
    this.#restart = setTimeout(() => this.start(), this.#waitMs)
    this.#waitMs = Math.min(this.#waitMs * 2, RESTART_LONGEST_MS)
  }

  /** Counts ticks of this process, so that time in which it was suspended itself does not count. */
  #watch(child: ChildProcess): NodeJS.Timeout {
    let missed = 0
    let most = MISSED_BEFORE_FIRST
    child.on('message', () => {
      missed = 0
      most = MISSED_BEATS
    })
    return setInterval(() => {
      missed += 1
      if (missed <= most) return
      this.#options.log.error({ worker: child.pid, missed }, 'the worker stands still, and is ended')
      child.kill('SIGKILL')
    }, this.#options.tickMs ?? HEARTBEAT_MS)
  }

  /** Lets the worker hand back its jobs and end; one that takes too long is killed. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#restart)
    const child = this.#child
    // What was never started has no exit to wait for.
    if (child?.pid === undefined) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), this.#options.stopMs)
    await exited
    clearTimeout(late)
  }
}
