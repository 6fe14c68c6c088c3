import { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { isProbe } from './probes.ts'
import { requestSpanIds } from './request-span.ts'

/** Characters of a path in a log line. */
const MAX_PATH_LENGTH = 300
/** The addresses of one job, in a path or in a Location. */
const JOB_PATH = /^\/v1\/(?:conversions|verifications)\/([0-9a-f-]{36})(?:\/|$)/

/** Fastify's own lines about requests, without those that {@link logRequests} writes. */
export class FailureLog extends LogController {
  override incomingRequest(): void {}
  override requestCompleted(): void {}
}

/**
 * Logs one line a request, when its response has been sent or its client has disconnected. The line contains no
 * query and no header: these may contain secrets.
 */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw
    const sentBefore = socket.bytesWritten ?? 0
    reply.raw.once('close', () => {
      const bytes = (socket.bytesWritten ?? 0) - sentBefore
      request.log[isProbe(request) ? 'debug' : 'info'](fieldsOf(request, reply, bytes), 'request')
    })
  })
}

function fieldsOf(request: FastifyRequest, reply: FastifyReply, bytes: number): object {
  const { method, url, routeOptions } = request
  const [path = ''] = url.split('?', 1)
  const job = JOB_PATH.exec(path)?.[1] ?? JOB_PATH.exec(String(reply.getHeader('location')))?.[1]
  return {
    method,
    route: routeOptions.url,
    path: path.slice(0, MAX_PATH_LENGTH),
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
    // As they went over the connection, headers included.
    bytes,
    ...(!reply.raw.writableFinished && { aborted: true }),
    ...(job !== undefined && { job }),
    ...requestSpanIds(request),
  }
}
