import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HttpError } from '../problem.ts'

/** How much of a refused body is still read, and for how long: its sender learns of the answer meanwhile. */
const DRAIN_BYTES = 64 * 1024 * 1024
const DRAIN_MS = 5_000
/** How often the pace of a body is looked at. */
const PACE_EVERY_MS = 10_000
/** What is left to the sender of a slow body to read the answer. */
const LINGER_MS = 1_000

/** Whether a request comes with a body (RFC 9112, 6.3). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Whether a request comes with a body that is for a route: that of other methods has no meaning (RFC 9110, 9.3.1). */
export function isBodyRead(raw: IncomingMessage): boolean {
  return hasBody(raw) && raw.method !== 'GET' && raw.method !== 'HEAD'
}

/** Whether more of it is to come. */
function isComing(raw: IncomingMessage): boolean {
  return hasBody(raw) && !raw.complete && !raw.readableEnded
}

/**
 * Sees to it that no body holds a connection: one that comes too slowly is answered with 408, and what of a refused one still
 * comes is read for a while, then its connection is closed.
 * @param leastRate in bytes a second; 0: any pace will do
 * @param everyMs how often the pace is looked at
 */
export function guardBodies(app: FastifyInstance, leastRate: number, everyMs = PACE_EVERY_MS): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!isBodyRead(request.raw)) request.raw.resume()
    if (leastRate > 0 && hasBody(request.raw))
      watchPace(request, reply, (leastRate * everyMs) / 1000, everyMs)
  })
  app.addHook('onSend', async ({ raw }, reply, payload) => {
    // A connection that is closed at once loses the answer, too.
    if (reply.statusCode !== 408 && isComing(raw) && reply.hasHeader('connection'))
      reply.removeHeader('connection')
    return payload
  })
  app.addHook('onResponse', async ({ raw }) => {
    if (isComing(raw) && !raw.destroyed) drain(raw)
  })
}

function watchPace({ raw }: FastifyRequest, reply: FastifyReply, leastBytes: number, everyMs: number): void {
  const { socket } = raw
  let seen = socket.bytesRead
  const watching = setInterval(() => {
    const came = socket.bytesRead - seen
    seen = socket.bytesRead
    if (!isComing(raw)) clearInterval(watching)
    // Bytes that wait here are not the sender's fault.
    else if (came < leastBytes && raw.readableLength === 0) {
      clearInterval(watching)
      endSlow(raw, reply)
    }
  }, everyMs).unref()
  raw.once('close', () => clearInterval(watching))
}

function endSlow(raw: IncomingMessage, reply: FastifyReply): void {
  if (!reply.sent) {
    const why =
      'the body comes too slowly; RECORD_BROKER_MIN_BODY_RATE says how many bytes a second are enough'
    reply.header('connection', 'close').send(new HttpError(408, 'REQUEST_TOO_SLOW', why))
  }
  setTimeout(() => raw.destroy(), LINGER_MS).unref()
}

function drain(raw: IncomingMessage): void {
  const { socket } = raw
  const end = socket.bytesRead + DRAIN_BYTES
  const late = setTimeout(() => raw.destroy(), DRAIN_MS).unref()
  raw.once('close', () => clearTimeout(late))
  raw.on('data', () => {
    if (socket.bytesRead > end) raw.destroy()
  })
  raw.resume()
}
