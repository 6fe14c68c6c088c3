import type { Context } from '@opentelemetry/api'
import { otel } from './otel.ts'

/**
 * Returns the surrounding trace as the value of a `traceparent` header (W3C Trace Context 1): 55 characters, or
 * undefined outside of a trace.
 */
export function activeTraceparent(): string | undefined {
  return traceparentIn(otel()?.context.active())
}

/** Returns the `traceparent` of a context; undefined for one without a trace. */
export function traceparentIn(context: Context | undefined): string | undefined {
  const carrier: { traceparent?: string } = {}
  if (context) otel()?.propagation.inject(context, carrier)
  return carrier.traceparent
}

/** Returns the headers that pass the surrounding trace on to another server. */
export function traceHeaders(): { traceparent?: string } {
  const traceparent = activeTraceparent()
  return traceparent === undefined ? {} : { traceparent }
}

/**
 * Returns the context of the trace that headers, or one `traceparent`, name, for spans that continue it.
 * Undefined while traces are off.
 */
export function contextOf(
  source: string | Readonly<Record<string, unknown>> | null | undefined,
): Context | undefined {
  const api = otel()
  if (api === undefined) return undefined
  const carrier = typeof source === 'string' ? { traceparent: source } : (source ?? {})
  return api.propagation.extract(api.ROOT_CONTEXT, carrier)
}

/** Runs work outside of the surrounding trace: what repeats for as long as its trace lasts. */
export function untraced<Result>(work: () => Result): Result {
  const api = otel()
  return api === undefined ? work() : api.context.with(api.ROOT_CONTEXT, work)
}

/** Binds a function to the surrounding trace, for work that runs later on behalf of several callers. */
export function bindTrace<Arguments extends unknown[], Result>(
  work: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  const api = otel()
  return api === undefined ? work : api.context.bind(api.context.active(), work)
}

/** The ids of the span of a context, by default of the surrounding one, for log lines; nothing outside of a trace. */
export function traceIds(within?: Context): { traceId?: string; spanId?: string } {
  const api = otel()
  const current = api?.trace.getSpanContext(within ?? api.context.active())
  return current === undefined ? {} : { traceId: current.traceId, spanId: current.spanId }
}
