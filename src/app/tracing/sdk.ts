/** Only this module loads the SDK of OpenTelemetry. */
import { hostname } from 'node:os'
import * as api from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import { takeReservedSpanId } from '../../tracing/lost-span.ts'
import { turnTracingOn } from '../../tracing/otel.ts'
import type { TracingConfig } from './settings.ts'

/** The traces of this process. */
export type Tracing = {
  /** Sends the spans that have ended, without waiting for more. Never rejects. */
  flush(): Promise<void>
  /** Sends the spans that have ended, for two seconds at most, and makes no more. */
  stop(): Promise<void>
}

/** How long a stop waits for a collector. */
const STOP_MS = 2_000
/** Minimum interval between warnings about a collector that fails. */
const WARNING_INTERVAL_MS = 60_000
const MAX_BATCH_SIZE = 512
/** Characters of one attribute, such as an SQL statement. */
const MAX_ATTRIBUTE_LENGTH = 2_000

/** Sets up the global tracer of this process. */
export function startSdk(
  config: TracingConfig,
  { role, version }: { readonly role: string; readonly version: string },
  log: Pick<Logger, 'warn'>,
): Tracing {
  warnThroughLog(log)
  const processor = new BatchSpanProcessor({
    exporter: config.protocol === 'http/json' ? new JsonExporter() : new ProtobufExporter(),
    scheduledDelayMillis: config.scheduleDelayMs,
    maxQueueSize: config.maxQueueSize,
    maxExportBatchSize: Math.min(MAX_BATCH_SIZE, config.maxQueueSize),
  })
  const own = resourceFromAttributes({
    'service.name': 'record-broker',
    'service.version': version,
    'service.instance.id': `${hostname()}:${process.pid}`,
    'host.name': hostname(),
    'process.pid': process.pid,
    'record_broker.role': role,
  })
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(own)
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: createSampler(config),
    idGenerator: new ReservingIdGenerator(),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_LENGTH },
    spanProcessors: [processor],
  })
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  // Baggage is not passed on: it is for the services of the caller, not for registries.
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  api.trace.setGlobalTracerProvider(provider)
  turnTracingOn(api)
  const ignoreFailure = () => undefined
  return {
    flush: () => provider.forceFlush().catch(ignoreFailure),
    stop: async () => {
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, STOP_MS)
      await Promise.race([provider.shutdown().catch(ignoreFailure), late])
      clearTimeout(timer)
    },
  }
}

/** Creates the sampler that `OTEL_TRACES_SAMPLER` names. */
function createSampler({ sampler, ratio }: TracingConfig): Sampler {
  const [, isParentBased, name] = /^(parentbased_)?(.*)$/.exec(sampler) ?? []
  const root =
    name === 'traceidratio'
      ? new TraceIdRatioBasedSampler(ratio)
      : name === 'always_off'
        ? new AlwaysOffSampler()
        : new AlwaysOnSampler()
  return isParentBased ? new ParentBasedSampler({ root }) : root
}

/** Gives random ids, except to spans that are recorded for a process that died. */
class ReservingIdGenerator implements IdGenerator {
  readonly #random = new RandomIdGenerator()

  generateTraceId(): string {
    return this.#random.generateTraceId()
  }

  generateSpanId(): string {
    return takeReservedSpanId() ?? this.#random.generateSpanId()
  }
}

/** Reports that spans could not be sent, at most once a minute. */
function warnThroughLog(log: Pick<Logger, 'warn'>): void {
  let warnedAt = Number.NEGATIVE_INFINITY
  const warn = (message: string) => {
    if (performance.now() - warnedAt < WARNING_INTERVAL_MS) return
    warnedAt = performance.now()
    log.warn({ detail: reasonOf(message) }, 'traces could not be sent')
  }
  const ignore = () => undefined
  const logger = { error: warn, warn, info: ignore, debug: ignore, verbose: ignore }
  api.diag.setLogger(logger, { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true })
}

/** The SDK reports an error as JSON with its stack: returns its message alone. */
function reasonOf(text: string): string {
  try {
    const { message, code } = JSON.parse(text) as { message?: unknown; code?: unknown }
    return [message, code].filter((part) => typeof part === 'string' && part !== '').join(': ')
  } catch {
    return text
  }
}
