import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'

const RESTART_FIRST_MS = 500
const RESTART_LONGEST_MS = 30_000
/** A worker that ran for so long was sound: the next restart is quick again. */
const SOUND_AFTER_MS = 60_000

/**
 * How glibc's allocator gives memory back: by itself it keeps so much for each thread that a worker takes a fifth more.
 * Other allocators do not look at these.
 */
export const WORKER_MEMORY = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: String(1 << 20) }

/**
 * Keeps a worker process of this broker running: when it dies, another one starts and takes up its job. The worker
 * stops by itself when this process dies.
 */
export class WorkerProcess {
  readonly #environment: Record<string, string | undefined>
  readonly #log: Logger
  readonly #died: (pid: number) => Promise<void>
  #child: ChildProcess | undefined
  #restart: NodeJS.Timeout | undefined
  #waitMs = RESTART_FIRST_MS
  #stopping = false

  /** @param died told when a worker ended by itself, before the next one starts */
  constructor(
    environment: Record<string, string | undefined>,
    log: Logger,
    died: (pid: number) => Promise<void>,
  ) {
    this.#environment = environment
    this.#log = log
    this.#died = died
  }

  start(): void {
    const startedAt = performance.now()
    const main = fileURLToPath(new URL('./main.ts', import.meta.url))
    // The channel is never written to: its end tells the worker that this process is gone.
    const child = spawn(process.execPath, [main, 'worker'], {
      env: { ...WORKER_MEMORY, ...this.#environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child = child
    child.once('error', (error) => this.#log.error({ err: error }, 'the worker cannot be started'))
    child.once('exit', (status, signal) => {
      this.#child = undefined
      if (this.#stopping) return
      // What it did is taken up again in any case, when its lease runs out.
      this.#died(child.pid ?? 0).catch((error: unknown) => this.#log.warn({ err: error }, 'leases stay'))
      if (performance.now() - startedAt > SOUND_AFTER_MS) this.#waitMs = RESTART_FIRST_MS
      this.#log.error({ status, signal }, `the worker ended; another one starts in ${this.#waitMs} ms`)
      this.#restart = setTimeout(() => this.start(), this.#waitMs)
      this.#waitMs = Math.min(this.#waitMs * 2, RESTART_LONGEST_MS)
    })
  }

  /** Lets the worker hand back its jobs and end. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#restart)
    const child = this.#child
    if (!child) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await exited
  }
}
