import { HttpServer, type RequestHandler } from './http-server.ts'

type Value = { stringValue?: string; intValue?: number | string; boolValue?: boolean; doubleValue?: number }
type Attribute = { key: string; value: Value }
type OtlpSpan = {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  attributes?: Attribute[]
  links?: { spanId: string }[]
  events?: { name: string }[]
  status?: { code?: number; message?: string }
}
type OtlpRequest = {
  resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: OtlpSpan[] }[] }[]
}

/** A span that a collector received. */
export type ReceivedSpan = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  /** The process that made it: `serve`, `worker` or `analyzer`. */
  readonly role: unknown
  readonly attributes: Readonly<Record<string, unknown>>
  /** The spans that it links to. */
  readonly links: readonly string[]
  readonly events: readonly string[]
  readonly hasFailed: boolean
}

const FAILED = 2

/** A collector of traces: OTLP/HTTP with JSON. */
export class OtlpCollector implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = []
  /** Everything that was received, for searches. */
  text = ''
  readonly #server: HttpServer

  private constructor(server: HttpServer) {
    this.#server = server
  }

  static async start(): Promise<OtlpCollector> {
    let collector: OtlpCollector | undefined
    const handler: RequestHandler = async (request, response) => {
      const body = (await request.body()).toString()
      if (collector && request.path === '/v1/traces') {
        collector.text += body
        collector.spans.push(...parse(JSON.parse(body) as OtlpRequest))
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    }
    collector = new OtlpCollector(await HttpServer.start(handler))
    return collector
  }

  /** The settings of a process that sends its traces here, soon after they end. */
  get settings(): Record<string, string> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${this.#server.host}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '20',
    }
  }

  /** The spans of one trace with a name. */
  named(traceId: string, name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId && span.name === name)
  }

  /** The names of the spans above a span, from its parent to the root of what was received. */
  ancestorsOf(span: ReceivedSpan): string[] {
    const parent = this.spans.find(
      ({ traceId, spanId }) => traceId === span.traceId && spanId === span.parentSpanId,
    )
    return parent === undefined ? [] : [parent.name, ...this.ancestorsOf(parent)]
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }
}

function parse({ resourceSpans }: OtlpRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const role = toRecord(resource.attributes)['record_broker.role']
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || undefined,
        name: span.name,
        role,
        attributes: toRecord(span.attributes ?? []),
        links: (span.links ?? []).map(({ spanId }) => spanId),
        events: (span.events ?? []).map(({ name }) => name),
        hasFailed: span.status?.code === FAILED,
      })),
    )
  })
}

function toRecord(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue),
    ]),
  )
}
