import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ClientGoneError, DeadlineExceededError } from './errors.ts'
import { hasReadableBody } from './request-body.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Aborts when the client has disconnected ({@link ClientGoneError}) or the deadline has passed ({@link
     * DeadlineExceededError}). Fastify's own `request.signal` aborts as soon as the body is read (Fastify
     * 5.12, on Node 16 and later).
     */
    abortSignal: AbortSignal
  }
  interface FastifyContextConfig {
    /** The route limits its own duration: by progress, or by what the client requests. */
    hasOwnDeadline?: boolean
  }
}

/** Time that a handler may take to react to its abort before the 504 is sent anyway. */
const ABORT_GRACE_MS = 500

/**
 * Gives every request an {@link FastifyRequest.abortSignal}, and sends 504 after `timeoutMs`. The time starts
 * at the end of the request body, whose duration is limited separately; if nothing reads the body, it starts
 * at once.
 */
export function registerDeadline(app: FastifyInstance, timeoutMs: number): void {
  app.decorateRequest('abortSignal', null as unknown as AbortSignal)
  app.addHook('onRequest', async (request, reply) => {
    const controller = new AbortController()
    request.abortSignal = controller.signal
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) controller.abort(new ClientGoneError())
    })
    if (!request.routeOptions.config?.hasOwnDeadline) startDeadline(request, reply, controller, timeoutMs)
  })
}

function startDeadline(
  { raw }: FastifyRequest,
  reply: FastifyReply,
  controller: AbortController,
  timeoutMs: number,
): void {
  let timer: NodeJS.Timeout | undefined
  const expire = () => {
    const error = new DeadlineExceededError(timeoutMs)
    controller.abort(error)
    timer = setTimeout(() => {
      if (reply.raw.headersSent) reply.raw.destroy()
      else if (!reply.sent) reply.send(error)
    }, ABORT_GRACE_MS)
  }
  const start = () => {
    if (!reply.raw.closed) timer = setTimeout(expire, timeoutMs)
  }
  reply.raw.once('close', () => clearTimeout(timer))
  if (hasReadableBody(raw) && !raw.readableEnded) raw.once('end', start)
  else start()
}
