import type { Attributes, Context, Span } from '@opentelemetry/api'
import { otel } from './otel.ts'
import { failSpan, TRACER } from './spans.ts'
import { contextOf, traceparentIn } from './trace-context.ts'

type StartSettings = {
  /** `server`: a request. `producer`: a job is created. `consumer`: an attempt to run it. */
  readonly kind: 'server' | 'producer' | 'consumer'
  readonly attributes?: Attributes
  /** Default: the trace that surrounds the call. `root`: a new trace. */
  readonly parent?: Context | 'root' | undefined
  /** In milliseconds since 1970. Default: now. */
  readonly startTime?: number
}

/** A span that outlives the call that starts it, or that starts a trace. */
export class StartedSpan {
  readonly span: Span
  /** The context of what happens within the span. */
  readonly context: Context
  readonly #run: (work: () => unknown) => unknown

  private constructor(span: Span, context: Context, run: (work: () => unknown) => unknown) {
    this.span = span
    this.context = context
    this.#run = run
  }

  /** Starts a span; undefined while traces are off. */
  static start(name: string, settings: StartSettings): StartedSpan | undefined {
    const api = otel()
    if (api === undefined) return undefined
    const { kind, parent, ...options } = settings
    const around = parent === 'root' ? api.ROOT_CONTEXT : (parent ?? api.context.active())
    const { SERVER, PRODUCER, CONSUMER } = api.SpanKind
    const spanKind = { server: SERVER, producer: PRODUCER, consumer: CONSUMER }[kind]
    const span = api.trace.getTracer(TRACER).startSpan(name, { ...options, kind: spanKind }, around)
    const within = api.trace.setSpan(around, span)
    return new StartedSpan(span, within, (work) => api.context.with(within, work))
  }

  /** The span as a `traceparent` header names it. */
  get traceparent(): string | undefined {
    return traceparentIn(this.context)
  }

  /** Runs work within the span. */
  run<Result>(work: () => Result): Result {
    return this.#run(work) as Result
  }

  /** Runs work within the span, and ends the span with it. */
  async endWith<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.run(work)
    } catch (error) {
      failSpan(this.span, error)
      throw error
    } finally {
      this.span.end()
    }
  }

  /** Links the span to another one, which a `traceparent` names. */
  link(traceparent: string | undefined, attributes: Attributes): void {
    const target = otel()?.trace.getSpanContext(contextOf(traceparent) as Context)
    if (target) this.span.addLink({ context: target, attributes })
  }
}
