import type { Attributes, Context, Span } from '@opentelemetry/api'
import { otel } from './otel.ts'

/** The name of everything that makes spans here. */
export const TRACER = 'record-broker'
/** Characters of an error message that a span holds. */
const MAX_MESSAGE_LENGTH = 500

/** What is noted on a span. */
export type SpanNotes = Pick<
  Span,
  'setAttribute' | 'setAttributes' | 'addEvent' | 'setStatus' | 'isRecording'
>

/** Takes notes and keeps none. */
const NO_SPAN: SpanNotes = {
  setAttribute: () => NO_SPAN as Span,
  setAttributes: () => NO_SPAN as Span,
  addEvent: () => NO_SPAN as Span,
  setStatus: () => NO_SPAN as Span,
  isRecording: () => false,
}

export type SpanSettings = {
  readonly attributes?: Attributes
  /** Default: an internal step. */
  readonly kind?: 'client' | 'internal'
  /** Default: the trace that surrounds the call. */
  readonly parent?: Context | undefined
}

/**
 * Runs work as a span within the trace that surrounds it. Work that belongs to no trace, or to one that is not
 * sampled, runs without a span, so that polls and maintenance start no traces.
 */
export async function traced<Result>(
  name: string,
  { attributes = {}, kind = 'internal', parent }: SpanSettings,
  work: (span: SpanNotes) => Promise<Result>,
): Promise<Result> {
  const api = otel()
  if (api === undefined) return work(NO_SPAN)
  const { context, trace, SpanKind } = api
  const around = parent ?? context.active()
  if (!isSampled(around)) return work(NO_SPAN)
  const spanKind = kind === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL
  const span = trace.getTracer(TRACER).startSpan(name, { attributes, kind: spanKind }, around)
  try {
    return await context.with(trace.setSpan(around, span), () => work(span))
  } catch (error) {
    failSpan(span, error)
    throw error
  } finally {
    span.end()
  }
}

/** Whether spans within a context are recorded. */
export function isSampled(context: Context | undefined): boolean {
  const api = otel()
  if (api === undefined || context === undefined) return false
  const flags = api.trace.getSpanContext(context)?.traceFlags ?? api.TraceFlags.NONE
  return (flags & api.TraceFlags.SAMPLED) !== 0
}

/** The value of the API's `SpanStatusCode.ERROR`. */
const ERROR_STATUS = 2

/** Marks a span as failed: with the code of the error, and the start of its message. */
export function failSpan(span: SpanNotes, error: unknown): void {
  if (!span.isRecording()) return
  const { code, name = 'Error', message = String(error) } = error as Partial<Error> & { code?: unknown }
  span.setAttribute('error.type', typeof code === 'string' ? code : name)
  span.setStatus({ code: ERROR_STATUS, message: message.slice(0, MAX_MESSAGE_LENGTH) })
}

/** The span that surrounds the call. It keeps no notes outside of a trace. */
export function currentSpan(): SpanNotes {
  return otel()?.trace.getActiveSpan() ?? NO_SPAN
}
