import type { Attributes } from '@opentelemetry/api'
import { otel } from './otel.ts'
import { failSpan, isSampled } from './spans.ts'
import { StartedSpan } from './started-span.ts'
import { contextOf } from './trace-context.ts'

/** A span whose process died before it could end it. */
export type LostSpan = {
  readonly name: string
  /** The `traceparent` that names the span. */
  readonly traceparent: string
  /** The `traceparent` of its parent. */
  readonly parent: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly endedAt: number
  readonly attributes: Attributes
  readonly error: { readonly code: string; readonly message: string }
}

/** The id of the span that is started next. */
let reservedId: string | undefined

/** Returns the id that the next span must have, once; undefined if any id will do. For the SDK's id generator. */
export function takeReservedSpanId(): string | undefined {
  const id = reservedId
  reservedId = undefined
  return id
}

/** Records a span on behalf of the process that died, so that the spans below it have their parent. */
export function recordLostSpan({ traceparent, parent: parentText, error, ...lost }: LostSpan): void {
  const parent = contextOf(parentText)
  const own = contextOf(traceparent)
  const ids = own && otel()?.trace.getSpanContext(own)
  if (ids === undefined || !isSampled(parent)) return
  const { name, attributes, startedAt: startTime, endedAt } = lost
  reservedId = ids.spanId
  const started = StartedSpan.start(name, { kind: 'consumer', attributes, parent, startTime })
  reservedId = undefined
  if (started === undefined) return
  failSpan(started.span, error)
  started.span.end(endedAt)
}
