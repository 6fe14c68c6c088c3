import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HttpError } from '../problem.ts'

/**
 * How much of a rejected body is still read, and for how long, so that its client can receive the response.
 */
const MAX_DRAIN_BYTES = 64 * 1024 * 1024
const MAX_DRAIN_MS = 5_000
const DEFAULT_RATE_INTERVAL_MS = 10_000
/** Time for the client of a slow body to read the response before its connection is closed. */
const LINGER_MS = 1_000

type BodyGuardOptions = {
  /** Minimum transfer rate. Default: no minimum. */
  readonly minBytesPerSecond?: number | undefined
  /** Interval between checks of the rate. Default: ten seconds. */
  readonly intervalMs?: number | undefined
}

/** Whether the message has a body (RFC 9112, 6.3). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/**
 * Whether the request has a body that routes read: the body of GET and HEAD has no meaning (RFC 9110, 9.3.1).
 */
export function hasReadableBody(raw: IncomingMessage): boolean {
  return hasBody(raw) && raw.method !== 'GET' && raw.method !== 'HEAD'
}

function isBodyIncomplete(raw: IncomingMessage): boolean {
  return hasBody(raw) && !raw.complete && !raw.readableEnded
}

/**
 * Ensures that no body holds a connection open: a body below the minimum rate gets 408; the remainder of a
 * body that was rejected is read up to a limit, then the connection is closed.
 */
export function registerBodyGuards(
  app: FastifyInstance,
  { minBytesPerSecond = 0, intervalMs = DEFAULT_RATE_INTERVAL_MS }: BodyGuardOptions,
): void {
  const minBytes = (minBytesPerSecond * intervalMs) / 1000
  app.addHook('onRequest', async (request, reply) => {
    if (!hasReadableBody(request.raw)) request.raw.resume()
    if (minBytes > 0 && hasBody(request.raw)) watchRate(request, reply, minBytes, intervalMs)
  })
  app.addHook('onSend', async ({ raw }, reply, payload) => {
    // Closing the connection at once would lose the response, too.
    if (reply.statusCode !== 408 && isBodyIncomplete(raw) && reply.hasHeader('connection'))
      reply.removeHeader('connection')
    return payload
  })
  app.addHook('onResponse', async ({ raw }) => {
    if (isBodyIncomplete(raw) && !raw.destroyed) drain(raw)
  })
}

function watchRate({ raw }: FastifyRequest, reply: FastifyReply, minBytes: number, intervalMs: number): void {
  const { socket } = raw
  let lastBytesRead = socket.bytesRead
  const watch = setInterval(() => {
    const received = socket.bytesRead - lastBytesRead
    lastBytesRead = socket.bytesRead
    if (!isBodyIncomplete(raw)) clearInterval(watch)
    // If unread bytes are buffered, the server is slow, not the client.
    else if (received < minBytes && raw.readableLength === 0) {
      clearInterval(watch)
      rejectSlowBody(raw, reply)
    }
  }, intervalMs).unref()
  raw.once('close', () => clearInterval(watch))
}

function rejectSlowBody(raw: IncomingMessage, reply: FastifyReply): void {
  if (!reply.sent) {
    const detail =
      'the request body arrives too slowly; RECORD_BROKER_MIN_BODY_RATE sets the minimum in bytes per second'
    reply.header('connection', 'close').send(new HttpError(408, 'REQUEST_TOO_SLOW', detail))
  }
  setTimeout(() => raw.destroy(), LINGER_MS).unref()
}

function drain(raw: IncomingMessage): void {
  const { socket } = raw
  const maxBytesRead = socket.bytesRead + MAX_DRAIN_BYTES
  const timer = setTimeout(() => raw.destroy(), MAX_DRAIN_MS).unref()
  raw.once('close', () => clearTimeout(timer))
  raw.on('data', () => {
    if (socket.bytesRead > maxBytesRead) raw.destroy()
  })
  raw.resume()
}
