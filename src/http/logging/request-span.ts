import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { otel } from '../../tracing/otel.ts'
import { failSpan } from '../../tracing/spans.ts'
import { StartedSpan } from '../../tracing/started-span.ts'
import { contextOf, traceIds } from '../../tracing/trace-context.ts'
import { isProbe } from './probes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The span of the request; undefined for probes, and while traces are off. */
    startedSpan: StartedSpan | undefined
  }
}

const SERVER_ERROR = 500

/**
 * Runs every request as a span, which continues the trace of its `traceparent`. Everything that its hooks and its
 * handler do is below it.
 */
export function traceRequests(app: FastifyInstance): void {
  app.decorateRequest('startedSpan', undefined)
  // Traces are turned on before a process builds its server, or not at all.
  if (otel() === undefined) return
  app.addHook('onRequest', (request, reply, done) => {
    const started = isProbe(request) ? undefined : startSpan(request)
    if (started === undefined) return done()
    request.startedSpan = started
    reply.raw.once('close', () => endSpan(started, reply))
    started.run(done)
  })
  // A body is parsed by the events of its stream, which do not know the request that they belong to.
  app.addHook('preValidation', ({ startedSpan }, _reply, done) => {
    if (startedSpan) startedSpan.run(done)
    else done()
  })
}

/** The ids of the span of a request, for its log line. */
export function requestSpanIds({ startedSpan }: FastifyRequest): ReturnType<typeof traceIds> {
  return startedSpan === undefined ? {} : traceIds(startedSpan.context)
}

function startSpan({ method, url, id, routeOptions, headers }: FastifyRequest): StartedSpan | undefined {
  const route = routeOptions.url
  const attributes = {
    'http.request.method': method,
    // The query may contain a secret.
    'url.path': url.split('?', 1)[0],
    ...(route !== undefined && { 'http.route': route }),
    'record_broker.request.id': id,
  }
  const name = route === undefined ? method : `${method} ${route}`
  return StartedSpan.start(name, { kind: 'server', attributes, parent: contextOf(headers) })
}

function endSpan({ span }: StartedSpan, { raw, statusCode }: FastifyReply): void {
  span.setAttribute('http.response.status_code', statusCode)
  if (!raw.writableFinished) {
    failSpan(span, { code: 'CLIENT_DISCONNECTED', message: 'the client disconnected' })
  } else if (statusCode >= SERVER_ERROR) failSpan(span, { code: String(statusCode), message: '' })
  span.end()
}
