import { raceAbort } from '../concurrency/abort.ts'
import { ByteBudget } from '../concurrency/byte-budget.ts'
import { ByteQueue } from '../concurrency/byte-queue.ts'
import type { DocumentBody } from './analyses.ts'
import { AnalysisError } from './analysis-error.ts'
import type { AnalyzerMessage, PoolMessage } from './analyzer-messages.ts'

/** The bytes of a document that are buffered for a slow reader. */
const DOCUMENT_WINDOW_BYTES = 2 ** 20
/**
 * The bytes of all documents that are buffered beyond their windows, so that their processes are free for the
 * next task.
 */
const SHARED_DOCUMENT_BYTES = 64 * 2 ** 20
const sharedDocumentBudget = new ByteBudget(SHARED_DOCUMENT_BYTES)
/** The bytes of an input that are sent before the process acknowledges them. */
const INPUT_WINDOW_BYTES = 2 ** 20

/** One task of an analyzer process, as the pool sees it. */
export class RunningAnalysis {
  readonly #task: number
  readonly #send: (message: PoolMessage) => void
  readonly #signal: AbortSignal
  readonly #result = Promise.withResolvers<unknown>()
  readonly #ended = Promise.withResolvers<void>()
  /** The lengths of the input pieces that the process has not acknowledged. */
  readonly #unacknowledged: number[] = []
  #unacknowledgedBytes = 0
  #inputAck = Promise.withResolvers<void>()
  #document: ByteQueue | undefined
  #hasEnded = false

  constructor(task: number, send: (message: PoolMessage) => void, signal: AbortSignal) {
    this.#task = task
    this.#send = send
    this.#signal = signal
    this.#result.promise.catch(() => undefined)
  }

  /** Resolves when the process has finished the task and is free. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Resolves with the result, or with a document, whose pieces may still arrive. */
  result(): Promise<unknown> {
    return raceAbort(this.#result.promise, this.#signal)
  }

  /** Sends the input as fast as the process acknowledges it. */
  feed(input: AsyncIterable<Uint8Array>): void {
    this.#sendInput(input).catch((error: unknown) => {
      this.#result.reject(error)
      this.#send({ kind: 'abort', task: this.#task })
    })
  }

  async #sendInput(input: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of input) {
      this.#unacknowledged.push(bytes.length)
      this.#unacknowledgedBytes += bytes.length
      this.#send({ kind: 'input', task: this.#task, bytes })
      while (this.#unacknowledgedBytes > INPUT_WINDOW_BYTES && !this.#hasEnded) {
        this.#inputAck = Promise.withResolvers()
        await this.#inputAck.promise
      }
      if (this.#signal.aborted || this.#hasEnded) return
    }
    this.#send({ kind: 'input', task: this.#task, bytes: undefined })
  }

  receive(message: AnalyzerMessage): void {
    if (message.task !== this.#task) return
    if (message.kind === 'input-ack') this.#acknowledgeInput()
    else if (message.kind === 'failed') this.fail(new AnalysisError(message.error))
    else if (message.kind === 'document') this.#addToDocument(message.bytes)
    else if (message.hasDocument) {
      this.#document = new ByteQueue(DOCUMENT_WINDOW_BYTES, sharedDocumentBudget)
      this.#result.resolve(this.#createBody(this.#document))
    } else {
      this.#result.resolve(message.result)
      this.#end()
    }
  }

  #acknowledgeInput(): void {
    this.#unacknowledgedBytes -= this.#unacknowledged.shift() ?? 0
    this.#inputAck.resolve()
  }

  fail(error: AnalysisError): void {
    this.#result.reject(error)
    this.#document?.fail(error)
    this.#end()
  }

  #end(): void {
    this.#hasEnded = true
    this.#inputAck.resolve()
    this.#ended.resolve()
  }

  #addToDocument(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) {
      this.#document?.end()
      this.#end()
      return
    }
    // The write rejects when the reader has stopped, which the signal of its request reports.
    this.#document?.write(bytes).then(
      () => this.#send({ kind: 'document-ack', task: this.#task }),
      () => this.#send({ kind: 'abort', task: this.#task }),
    )
  }

  #createBody(queue: ByteQueue): DocumentBody {
    this.#signal.addEventListener('abort', () => queue.discard(this.#signal.reason), { once: true })
    return queue
  }
}
