import type { ChildProcess } from 'node:child_process'
import type { CallerAccess } from '../access/caller-access.ts'
import { activeTraceparent } from '../tracing/trace-context.ts'
import type { AnalysisKind } from './analyses.ts'
import { AnalysisError } from './analysis-error.ts'
import type { AnalyzerMessage, PoolMessage } from './analyzer-messages.ts'
import { RunningAnalysis } from './running-analysis.ts'

/** How long an aborted task may continue before its process is killed. */
const ABORT_GRACE_MS = 1_000
const RETRY_AFTER_MS = 1_000

export type AnalyzerTask = {
  readonly analysis: AnalysisKind
  readonly request: unknown
  readonly caller: CallerAccess
  readonly input?: AsyncIterable<Uint8Array> | undefined
  readonly signal: AbortSignal
}

function outOfMemoryError(memoryBytes: number): AnalysisError {
  const message = `the request needs too much memory; raise RECORD_BROKER_ANALYZER_MEMORY, which allows ${memoryBytes} bytes`
  return new AnalysisError({ message, code: 'ANALYZER_MEMORY' })
}

/**
 * Creates the error for a process that exited by itself. V8 traps or aborts when it cannot allocate memory. A
 * shell exits with 128 plus the number of the signal.
 */
function exitError(memoryBytes: number, status: number | null, signal: NodeJS.Signals | null): AnalysisError {
  const isOutOfMemory =
    signal === 'SIGTRAP' || signal === 'SIGABRT' || signal === 'SIGILL' || status === 133 || status === 134
  if (isOutOfMemory) return outOfMemoryError(memoryBytes)
  const message = `the process that handled the request exited with ${signal ?? status}; try again`
  return new AnalysisError({ message, code: 'ANALYZER_DIED', retryAfterMs: RETRY_AFTER_MS })
}

/** Creates the error for a process that the system cannot start at the moment. */
export function processStartError(cause: unknown): AnalysisError {
  const message = 'the system could not start a process for the request; try again'
  return new AnalysisError({ message, code: 'ANALYZER_DIED', retryAfterMs: RETRY_AFTER_MS }, { cause })
}

/** A process that runs one analysis at a time. */
export class AnalyzerProcess {
  readonly #child: ChildProcess
  readonly #memoryBytes: number
  #taskCount = 0
  #running: RunningAnalysis | undefined
  /** Resolves when the process has exited. */
  readonly exited: Promise<void>
  isAlive = true
  /** Whether the process died or was killed while it ran a task. */
  hasDiedBusy = false

  /** @param memoryBytes the bound that the operating system enforces, for error messages */
  constructor(child: ChildProcess, memoryBytes: number) {
    this.#child = child
    this.#memoryBytes = memoryBytes
    // Messages without a task, such as metrics, are for others.
    child.on('message', (message: AnalyzerMessage) => {
      if (message.task !== undefined) this.#receive(message)
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.exited = promise
    const onDeath = (error: AnalysisError) => {
      this.isAlive = false
      this.hasDiedBusy ||= this.#running !== undefined
      this.#running?.fail(error)
      resolve()
    }
    // A process that could not be started emits no 'exit'.
    child.on('error', (error) => {
      if (child.pid === undefined) onDeath(processStartError(error))
    })
    child.once('exit', (status, signal) => onDeath(exitError(memoryBytes, status, signal)))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /**
   * Runs a task. If its result is a document, the process stays busy until it has sent the whole document.
   * @param onFree called when the process is free for the next task
   * @throws AnalysisError; the signal's reason; the error of the input
   */
  async run(
    { analysis, request, caller, input, signal }: AnalyzerTask,
    onFree: () => void,
  ): Promise<unknown> {
    const task = ++this.#taskCount
    const running = new RunningAnalysis(task, (message) => this.#send(message), signal)
    this.#running = running
    running.ended.then(() => {
      this.#running = undefined
      onFree()
    })
    const abort = () => {
      this.#send({ kind: 'abort', task })
      const kill = setTimeout(() => this.kill(), ABORT_GRACE_MS)
      running.ended.then(() => clearTimeout(kill))
    }
    signal.addEventListener('abort', abort, { once: true })
    running.ended.then(() => signal.removeEventListener('abort', abort))
    const traceparent = activeTraceparent()
    this.#send({ kind: 'run', task, analysis, request, caller, hasInput: input !== undefined, traceparent })
    if (signal.aborted) abort()
    if (input) running.feed(input)
    return running.result()
  }

  kill(): void {
    this.isAlive = false
    this.hasDiedBusy ||= this.#running !== undefined
    this.#child.kill('SIGKILL')
  }

  #receive(message: AnalyzerMessage): void {
    if (message.kind === 'failed' && message.error.code === 'ANALYZER_MEMORY') {
      // The process may lack the memory for another task, too.
      this.kill()
      this.#running?.fail(outOfMemoryError(this.#memoryBytes))
    } else this.#running?.receive(message)
  }

  #send(message: PoolMessage): void {
    // A failure to send needs no handling, because the exit of the process follows.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }
}
