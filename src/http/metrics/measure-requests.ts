import type { FastifyInstance, FastifyReply } from 'fastify'
import type { HttpMetrics } from '../../metrics/http-metrics.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** Counts the response as an open stream of events, whose duration says nothing about the server. */
    countAsEventStream(): void
  }
}

/**
 * Measures all requests, those that other hooks reject included. Must be called before the other hooks are
 * added.
 */
export function measureRequests(app: FastifyInstance, metrics: HttpMetrics | undefined): void {
  const streams = new WeakSet<FastifyReply>()
  app.decorateReply('countAsEventStream', function (this: FastifyReply) {
    if (metrics === undefined || streams.has(this)) return
    streams.add(this)
    this.raw.once('close', metrics.onStream())
  })
  if (metrics === undefined) return
  app.addHook('onRequest', (request, reply, done) => {
    metrics.onRequest()
    // Emitted for every response, also if its client has gone or the handler sends it itself.
    reply.raw.on('close', () => {
      const { headersSent, statusCode } = reply.raw
      const durationMs = streams.has(reply) ? undefined : reply.elapsedTime
      metrics.onEnd(request.method, request.routeOptions.url, headersSent ? statusCode : 0, durationMs)
    })
    done()
  })
}
