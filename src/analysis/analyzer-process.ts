import type { ChildProcess } from 'node:child_process'
import { unlessAborted } from '../concurrency/abort.ts'
import { ByteBudget } from '../concurrency/byte-budget.ts'
import { ByteQueue } from '../concurrency/byte-queue.ts'
import type { AnalysisName, DocumentBody } from './analyses.ts'
import { AnalysisError, type FromAnalyzer, type ToAnalyzer } from './messages.ts'

/** How long a task may go on after its abort, before its process is killed. */
const ABORT_GRACE_MS = 1_000
/** Bytes of a document that wait for a slow reader, and those of all documents beyond that: the process is free for the next task. */
const DOCUMENT_WINDOW_BYTES = 2 ** 20
const DOCUMENTS_BYTES = 64 * 2 ** 20
const documents = new ByteBudget(DOCUMENTS_BYTES)
/** Bytes of an input that are on their way to a process. */
const INPUT_WINDOW_BYTES = 2 ** 20
const RETRY_AFTER_MS = 1_000

export type AnalyzerTask = {
  readonly name: AnalysisName
  readonly request: unknown
  readonly input?: AsyncIterable<Uint8Array> | undefined
  readonly signal: AbortSignal
}

function tooMuchMemory(memory: number): AnalysisError {
  const message = `it takes too much memory: RECORD_BROKER_ANALYZER_MEMORY allows ${memory} bytes`
  return new AnalysisError({ message, code: 'ANALYZER_MEMORY' })
}

/** The error for a process that ended by itself. V8 traps or aborts when it gets no memory; shells report 128 and the signal. */
function died(memory: number, status: number | null, signal: NodeJS.Signals | null): AnalysisError {
  const isOutOfMemory =
    signal === 'SIGTRAP' || signal === 'SIGABRT' || signal === 'SIGILL' || status === 133 || status === 134
  if (isOutOfMemory) return tooMuchMemory(memory)
  const message = `the process that worked on it ended with ${signal ?? status}; try again`
  return new AnalysisError({ message, code: 'ANALYZER_DIED', retryAfterMs: RETRY_AFTER_MS })
}

/** The error for a process that the system does not start for now. */
export function notStarted(cause: unknown): AnalysisError {
  const message = 'no process can be started for it; try again'
  return new AnalysisError({ message, code: 'ANALYZER_DIED', retryAfterMs: RETRY_AFTER_MS }, { cause })
}

/** A process that does one analysis at a time. */
export class AnalyzerProcess {
  readonly #child: ChildProcess
  readonly #memory: number
  #tasks = 0
  #running: RunningAnalysis | undefined
  /** Told when the process has ended. */
  readonly exited: Promise<void>
  isAlive = true

  /** @param memory in bytes, which the operating system bounds */
  constructor(child: ChildProcess, memory: number) {
    this.#child = child
    this.#memory = memory
    child.on('message', (message: FromAnalyzer) => this.#receive(message))
    // A process that cannot be started has no exit.
    const { promise, resolve } = Promise.withResolvers<void>()
    this.exited = promise
    const over = (error: AnalysisError) => {
      this.isAlive = false
      this.#running?.fail(error)
      resolve()
    }
    child.on('error', (error) => {
      if (child.pid === undefined) over(notStarted(error))
    })
    child.once('exit', (status, signal) => over(died(this.#memory, status, signal)))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /**
   * Does a task. The process is free for the next one when `whenFree` is called: after the document, where there is one.
   * @throws AnalysisError; the signal's reason; what the input throws
   */
  async run({ name, request, input, signal }: AnalyzerTask, whenFree: () => void): Promise<unknown> {
    const task = ++this.#tasks
    const running = new RunningAnalysis(task, (message) => this.#send(message), signal)
    this.#running = running
    running.over.then(() => {
      this.#running = undefined
      whenFree()
    })
    const abort = () => {
      this.#send({ kind: 'abort', task })
      const kill = setTimeout(() => this.kill(), ABORT_GRACE_MS)
      running.over.then(() => clearTimeout(kill))
    }
    signal.addEventListener('abort', abort, { once: true })
    running.over.then(() => signal.removeEventListener('abort', abort))
    this.#send({ kind: 'run', task, name, request, hasInput: input !== undefined })
    if (signal.aborted) abort()
    if (input) running.feed(input)
    return running.result()
  }

  kill(): void {
    this.isAlive = false
    this.#child.kill('SIGKILL')
  }

  #receive(message: FromAnalyzer): void {
    if (message.kind === 'failed' && message.failure.code === 'ANALYZER_MEMORY') {
      // It may not have the memory for another task either.
      this.kill()
      this.#running?.fail(tooMuchMemory(this.#memory))
    } else this.#running?.receive(message)
  }

  #send(message: ToAnalyzer): void {
    // What cannot be sent any more is not missed: the exit of the process follows.
    if (this.#child.connected) this.#child.send(message, () => undefined)
  }
}

/** One task of a process. */
class RunningAnalysis {
  readonly #task: number
  readonly #send: (message: ToAnalyzer) => void
  readonly #signal: AbortSignal
  readonly #result = Promise.withResolvers<unknown>()
  readonly #over = Promise.withResolvers<void>()
  /** Lengths of the pieces of the input that were sent and not taken yet. */
  readonly #sent: number[] = []
  #sentBytes = 0
  #inputTaken = Promise.withResolvers<void>()
  #document: ByteQueue | undefined
  #isOver = false

  constructor(task: number, send: (message: ToAnalyzer) => void, signal: AbortSignal) {
    this.#task = task
    this.#send = send
    this.#signal = signal
    this.#result.promise.catch(() => undefined)
  }

  /** When the process has nothing more to do for the task. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** What the task came to, with its document where it has one. */
  result(): Promise<unknown> {
    return unlessAborted(this.#result.promise, this.#signal)
  }

  /** Sends the input as fast as it is taken. */
  feed(input: AsyncIterable<Uint8Array>): void {
    const sent = async () => {
      for await (const bytes of input) {
        this.#sent.push(bytes.length)
        this.#sentBytes += bytes.length
        this.#send({ kind: 'input', task: this.#task, bytes })
        while (this.#sentBytes > INPUT_WINDOW_BYTES && !this.#isOver) {
          this.#inputTaken = Promise.withResolvers()
          await this.#inputTaken.promise
        }
        if (this.#signal.aborted || this.#isOver) return
      }
      this.#send({ kind: 'input', task: this.#task, bytes: undefined })
    }
    sent().catch((error: unknown) => {
      this.#result.reject(error)
      this.#send({ kind: 'abort', task: this.#task })
    })
  }

  receive(message: FromAnalyzer): void {
    if (message.task !== this.#task) return
    if (message.kind === 'taken') this.#takenInput()
    else if (message.kind === 'failed') this.fail(new AnalysisError(message.failure))
    else if (message.kind === 'document') this.#takeDocument(message.bytes)
    else if (message.hasDocument) {
      this.#document = new ByteQueue(DOCUMENT_WINDOW_BYTES, documents)
      this.#result.resolve(this.#documentBody(this.#document))
    } else {
      this.#result.resolve(message.result)
      this.#end()
    }
  }

  #takenInput(): void {
    this.#sentBytes -= this.#sent.shift() ?? 0
    this.#inputTaken.resolve()
  }

  fail(error: AnalysisError): void {
    this.#result.reject(error)
    this.#document?.fail(error)
    this.#end()
  }

  #end(): void {
    this.#isOver = true
    this.#inputTaken.resolve()
    this.#over.resolve()
  }

  #takeDocument(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) {
      this.#document?.end()
      this.#end()
      return
    }
    // A reader that stopped is told by the signal of its request.
    const taken = this.#document?.write(bytes)
    taken?.then(
      () => this.#send({ kind: 'taken', task: this.#task }),
      () => this.#send({ kind: 'abort', task: this.#task }),
    )
  }

  #documentBody(queue: ByteQueue): DocumentBody {
    this.#signal.addEventListener('abort', () => queue.abandon(this.#signal.reason), { once: true })
    return queue
  }
}
