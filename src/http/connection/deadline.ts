import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ClientGone, DeadlineExceeded } from './errors.ts'
import { isBodyRead } from './request-body.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Aborts when nobody waits for the answer any more: the client is gone, or the answer is late. The reason of the latter is a
     * {@link DeadlineExceeded}. Fastify's own `request.signal` aborts as soon as the body is read (5.12, on Node 16 and later).
     */
    abandoned: AbortSignal
  }
  interface FastifyContextConfig {
    /** The route bounds its time itself: by what moves, or by what its caller asks for. */
    hasOwnDeadline?: boolean
  }
}

/** What ignores its abort is not waited for beyond this. */
const GRACE_MS = 500

/**
 * Gives every request {@link FastifyRequest.abandoned}, and answers what is late with 504. The time counts from the end of the
 * request's body: how long that may take is another matter. Where nobody reads the body it counts at once.
 */
export function addDeadline(app: FastifyInstance, ms: number): void {
  app.decorateRequest('abandoned', null as unknown as AbortSignal)
  app.addHook('onRequest', async (request, reply) => {
    const stop = new AbortController()
    request.abandoned = stop.signal
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) stop.abort(new ClientGone())
    })
    if (!request.routeOptions.config?.hasOwnDeadline) startDeadline(request, reply, stop, ms)
  })
}

function startDeadline(
  { raw }: FastifyRequest,
  reply: FastifyReply,
  stop: AbortController,
  ms: number,
): void {
  let timer: NodeJS.Timeout | undefined
  const late = () => {
    const error = new DeadlineExceeded(ms)
    stop.abort(error)
    timer = setTimeout(() => {
      if (reply.raw.headersSent) reply.raw.destroy()
      else if (!reply.sent) reply.send(error)
    }, GRACE_MS)
  }
  const start = () => {
    if (!reply.raw.closed) timer = setTimeout(late, ms)
  }
  reply.raw.once('close', () => clearTimeout(timer))
  if (isBodyRead(raw) && !raw.readableEnded) raw.once('end', start)
  else start()
}
