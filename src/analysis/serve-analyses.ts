import type { Logger } from 'pino'
import { ByteQueue } from '../concurrency/byte-queue.ts'
import type { Analyses, AnalysisContext, DocumentBody } from './analyses.ts'
import { type FromAnalyzer, failureOf, type ToAnalyzer } from './messages.ts'
import { isDocument } from './remote.ts'

/** Bytes of an input that wait to be read. */
const INPUT_WINDOW_BYTES = 2 ** 19

/** How an analyzer process talks with the one that started it. */
export type AnalyzerPort = {
  send(message: FromAnalyzer): void
  onMessage(take: (message: ToAnalyzer) => void): void
}

/** A task that this process does. */
type Served = {
  readonly task: number
  readonly stop: AbortController
  readonly input: ByteQueue
  documentTaken: PromiseWithResolvers<void>
}

/** Does the analyses that come, one at a time. */
export function serveAnalyses(analyses: Analyses, port: AnalyzerPort, log: Pick<Logger, 'error'>): void {
  let served: Served | undefined
  port.onMessage((message) => {
    if (message.kind === 'run') {
      const { task } = message
      const started: Served = {
        task,
        stop: new AbortController(),
        input: new ByteQueue(INPUT_WINDOW_BYTES),
        documentTaken: unwatched(),
      }
      served = started
      void new ServedAnalysis(analyses, port, started).run(message, log)
      return
    }
    if (served?.task !== message.task) return
    const { stop, input, documentTaken, task } = served
    if (message.kind === 'taken') documentTaken.resolve()
    else if (message.kind === 'abort') {
      const reason = new Error('the request was given up')
      stop.abort(reason)
      input.fail(reason)
      documentTaken.reject(reason)
    } else if (message.bytes === undefined) input.end()
    else {
      // Who stopped reading needs no more: the task is over, or about to be.
      const acknowledge = () => port.send({ kind: 'taken', task })
      input.write(message.bytes).then(acknowledge, acknowledge)
    }
  })
}

/** A promise whose rejection nobody has to see. */
function unwatched(): PromiseWithResolvers<void> {
  const made = Promise.withResolvers<void>()
  made.promise.catch(() => undefined)
  return made
}

class ServedAnalysis {
  readonly #analyses: Analyses
  readonly #port: AnalyzerPort
  readonly #served: Served

  constructor(analyses: Analyses, port: AnalyzerPort, served: Served) {
    this.#analyses = analyses
    this.#port = port
    this.#served = served
  }

  async run(
    { name, request, hasInput }: ToAnalyzer & { readonly kind: 'run' },
    log: Pick<Logger, 'error'>,
  ): Promise<void> {
    const { task, stop, input } = this.#served
    const context: AnalysisContext & { readonly input?: AsyncIterable<Uint8Array> } = {
      signal: stop.signal,
      ...(hasInput && { input }),
    }
    try {
      const act = this.#analyses[name].bind(this.#analyses) as (
        request: unknown,
        context: AnalysisContext,
      ) => Promise<unknown>
      const result = await act(request, context)
      if (!isDocument(result)) return this.#port.send({ kind: 'done', task, result, hasDocument: false })
      this.#port.send({ kind: 'done', task, result: undefined, hasDocument: true })
      await this.#sendDocument(result)
    } catch (error) {
      const failure = failureOf(error)
      if (failure.code === undefined && !stop.signal.aborted)
        log.error({ err: error, name }, 'an analysis failed')
      this.#port.send({ kind: 'failed', task, failure })
    }
  }

  async #sendDocument(document: DocumentBody): Promise<void> {
    const { task } = this.#served
    for await (const bytes of document) {
      this.#served.documentTaken = unwatched()
      this.#port.send({ kind: 'document', task, bytes })
      await this.#served.documentTaken.promise
    }
    this.#port.send({ kind: 'document', task, bytes: undefined })
  }
}
