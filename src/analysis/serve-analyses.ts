import type { Logger } from 'pino'
import { ByteQueue } from '../concurrency/byte-queue.ts'
import { traced } from '../tracing/spans.ts'
import { contextOf } from '../tracing/trace-context.ts'
import type { Analyses, AnalysisContext, DocumentBody } from './analyses.ts'
import { serializeAnalysisError } from './analysis-error.ts'
import type { AnalyzerMessage, PoolMessage } from './analyzer-messages.ts'
import { isDocument } from './document-body.ts'

/** The bytes of an input that are buffered before they are read. */
const INPUT_WINDOW_BYTES = 2 ** 19

/** The channel of an analyzer process to its parent. */
export type AnalyzerPort = {
  send(message: AnalyzerMessage): void
  onMessage(listener: (message: PoolMessage) => void): void
}

/**
 * Runs the analyses that the parent process requests, one at a time.
 * @param options.onIdle called after each of them
 */
export function serveAnalyses(
  analyses: Analyses,
  port: AnalyzerPort,
  { log, onIdle }: { readonly log: Pick<Logger, 'error'>; readonly onIdle?: () => void },
): void {
  let current: ServedAnalysis | undefined
  port.onMessage((message) => {
    if (message.kind === 'run') {
      current = new ServedAnalysis(message.task, port)
      void current.run(analyses, message, log).finally(onIdle)
    } else if (current?.task === message.task) current.receive(message)
  })
}

/** One analysis in this process. */
class ServedAnalysis {
  readonly task: number
  readonly #port: AnalyzerPort
  readonly #stop = new AbortController()
  readonly #input = new ByteQueue(INPUT_WINDOW_BYTES)
  #documentAck = createAck()

  constructor(task: number, port: AnalyzerPort) {
    this.task = task
    this.#port = port
  }

  receive(message: Exclude<PoolMessage, { kind: 'run' }>): void {
    if (message.kind === 'document-ack') this.#documentAck.resolve()
    else if (message.kind === 'abort') this.#abort()
    else if (message.bytes === undefined) this.#input.end()
    else {
      // A rejection means that nobody reads the input any more: the task has ended, or is about to.
      const acknowledge = () => this.#port.send({ kind: 'input-ack', task: this.task })
      this.#input.write(message.bytes).then(acknowledge, acknowledge)
    }
  }

  #abort(): void {
    const reason = new Error('the request was aborted')
    this.#stop.abort(reason)
    this.#input.fail(reason)
    this.#documentAck.reject(reason)
  }

  async run(
    analyses: Analyses,
    { analysis, request, caller, hasInput, traceparent }: PoolMessage & { readonly kind: 'run' },
    log: Pick<Logger, 'error'>,
  ): Promise<void> {
    const { task } = this
    const { signal } = this.#stop
    try {
      const perform = analyses[analysis].bind(analyses) as (
        request: unknown,
        context: AnalysisContext,
      ) => Promise<unknown>
      const context = { signal, caller, ...(hasInput && { input: this.#input }) }
      const parent = contextOf(traceparent)
      const result = await traced(`analyze: ${analysis}`, { parent }, () => perform(request, context))
      if (!isDocument(result)) return this.#port.send({ kind: 'done', task, result, hasDocument: false })
      this.#port.send({ kind: 'done', task, result: undefined, hasDocument: true })
      await this.#sendDocument(result)
    } catch (error) {
      const serialized = serializeAnalysisError(error)
      if (serialized.code === undefined && !signal.aborted) {
        log.error({ err: error, name: analysis }, 'an analysis failed')
      }
      this.#port.send({ kind: 'failed', task, error: serialized })
    }
  }

  async #sendDocument(document: DocumentBody): Promise<void> {
    const { task } = this
    for await (const bytes of document) {
      this.#documentAck = createAck()
      this.#port.send({ kind: 'document', task, bytes })
      await this.#documentAck.promise
    }
    this.#port.send({ kind: 'document', task, bytes: undefined })
  }
}

/** Creates a promise whose rejection is not reported if nobody awaits it. */
function createAck(): PromiseWithResolvers<void> {
  const ack = Promise.withResolvers<void>()
  ack.promise.catch(() => undefined)
  return ack
}
