import type { Logger } from 'pino'
import { ProcessMetrics } from '../metrics/process-metrics.ts'
import { CleanupStack } from './cleanup-stack.ts'
import { type Config, loadConfig } from './config/config.ts'
import { logger, watchEventLoop } from './process.ts'
import { onStopSignal, type StopSignal, statusOfSignal } from './stop-signals.ts'
import { startTracing } from './tracing/start-tracing.ts'
import { VERSION } from './version.ts'

/** Time to release jobs and to close everything after the grace time of the jobs. */
const CLOSING_MS = 20_000

/** What a role starts with. Callbacks deferred to `stack` run in reverse order when the process stops. */
export type RoleContext = {
  readonly config: Config
  readonly log: Logger
  readonly metrics: ProcessMetrics
  readonly stack: CleanupStack
  /** Aborts when the process must stop, before anything is closed. */
  readonly stopping: AbortSignal
  /**
   * The rest of the grace time, which starts when `stopping` aborts and is shared by everything that closes.
   */
  readonly graceLeftMs: () => number
}

/**
 * Runs a process until a stop signal. The exit status is 0 after an orderly stop, 130 after Ctrl-C, and 1
 * otherwise.
 * @param start resolves when the process is running
 * @throws what `start` throws
 */
export async function runRole(
  name: 'serve' | 'worker',
  start: (context: RoleContext) => Promise<void>,
): Promise<void> {
  const config = loadConfig()
  const log = logger(config, name)
  const stack = new CleanupStack()
  // A process that exits because its event loop is empty has failed: it did not stop on request.
  process.exitCode = 1
  const role = new Role(log, stack, config.graceMs)
  onStopSignal((signal) => void role.stop({ signal }))
  process.on('uncaughtException', (err) => void role.stop({ err }))
  process.on('unhandledRejection', (err) => void role.stop({ err }))
  const { longestMs: longestDelayMs } = stack.use(watchEventLoop(log))
  const metrics = new ProcessMetrics(name, { version: VERSION, longestDelayMs })
  const tracing = await startTracing(config.tracing, name, log)
  // Deferred first, so that it runs last: what is closed before may end spans.
  stack.defer(() => tracing.stop())
  try {
    const graceLeftMs = () => role.graceLeftMs()
    await start({ config, log, metrics, stack, stopping: role.stopping, graceLeftMs })
  } catch (error) {
    await role.abandonStart()
    throw error
  }
}

type Cause = { readonly signal: StopSignal } | { readonly err: unknown }

class Role {
  readonly #log: Logger
  readonly #stack: CleanupStack
  readonly #graceMs: number
  readonly #stopping = new AbortController()
  #stoppedAt: number | undefined
  #ending: Promise<void> | undefined

  constructor(log: Logger, stack: CleanupStack, graceMs: number) {
    this.#log = log
    this.#stack = stack
    this.#graceMs = graceMs
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  graceLeftMs(): number {
    const now = performance.now()
    return Math.max(0, this.#graceMs - (now - (this.#stoppedAt ?? now)))
  }

  /** Stops the process, in an orderly way if possible. */
  async stop(cause: Cause): Promise<void> {
    if ('err' in cause) this.#log.fatal(cause, 'stopping after an error')
    if (this.#ending) return
    if ('signal' in cause) this.#log.info(cause, 'stopping')
    const isClosed = await this.#close()
    process.exit(isClosed && 'signal' in cause ? statusOf(cause.signal) : 1)
  }

  /** Closes what a failed start has opened. */
  async abandonStart(): Promise<void> {
    if (this.#ending) await this.#ending
    else await this.#close()
  }

  async #close(): Promise<boolean> {
    const limitMs = this.#graceMs + CLOSING_MS
    const late = setTimeout(() => {
      this.#log.fatal(`stopping took longer than ${limitMs} ms`)
      process.exit(1)
    }, limitMs)
    this.#stoppedAt = performance.now()
    this.#stopping.abort(new Error('the process stops'))
    const closing = this.#stack.closeAll()
    this.#ending = closing.then(
      () => undefined,
      () => undefined,
    )
    try {
      await closing
      return true
    } catch (error) {
      this.#log.error({ err: error }, 'stopping failed')
      return false
    } finally {
      clearTimeout(late)
    }
  }
}

function statusOf(signal: StopSignal): number {
  return signal === 'SIGTERM' ? 0 : statusOfSignal(signal)
}
