import { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { callerAddress } from '../connection/caller-address.ts'
import { isProbe } from './probes.ts'
import { requestSpanIds } from './request-span.ts'

/** Characters of a path, and of the subject of a caller, in a log line. */
const MAX_PATH_LENGTH = 300
const MAX_SUBJECT_LENGTH = 200
/** What precedes the path in a request target that is absolute. It may contain a password. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i
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
    // Unknown when the connection is closed.
    const ip = callerAddress(request)
    reply.raw.once('close', () => {
      const bytes = (socket.bytesWritten ?? 0) - sentBefore
      request.log[isProbe(request) ? 'debug' : 'info'](fieldsOf(request, reply, { ip, bytes }), 'request')
    })
  })
}

function fieldsOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { ip, bytes }: { readonly ip: string | undefined; readonly bytes: number },
): object {
  const { method, url, routeOptions } = request
  const [path = ''] = url.replace(ORIGIN, '').split('?', 1)
  const job = JOB_PATH.exec(path)?.[1] ?? JOB_PATH.exec(String(reply.getHeader('location')))?.[1]
  return {
    method,
    route: routeOptions.url,
    path: path.slice(0, MAX_PATH_LENGTH),
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 10) / 10,
    // As they went over the connection, headers included.
    bytes,
    ip,
    ...callerFields(request),
    ...(!reply.raw.writableFinished && { aborted: true }),
    ...(job !== undefined && { job }),
    ...requestSpanIds(request),
  }
}

/** Who sent the request, if that is known. */
function callerFields({ knownCaller }: FastifyRequest): object {
  if (knownCaller === undefined) return {}
  const { kind, subject, tokenId } = knownCaller.identity
  return {
    caller: kind,
    subject: subject.slice(0, MAX_SUBJECT_LENGTH),
    ...(tokenId !== undefined && { tokenId }),
    project: knownCaller.project,
  }
}
