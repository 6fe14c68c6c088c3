import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Maximum time without any traffic on the connection while the client waits for this route's response.
     */
    maxSilenceMs?: number
  }
}

/**
 * Closes connections without traffic for `idleMs`, such as those whose client does not read its response. The
 * total duration of a large response is not limited.
 * @param idleMs must be longer than the request timeout
 */
export function closeIdleConnections(app: FastifyInstance, idleMs: number): void {
  const maxSilence = new WeakMap<Socket, number>()
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    const { maxSilenceMs } = routeOptions.config ?? {}
    if (maxSilenceMs !== undefined) maxSilence.set(raw.socket, maxSilenceMs)
  })
  app.addHook('onResponse', async ({ raw }) => {
    maxSilence.delete(raw.socket)
  })
  app.server.timeout = idleMs
  app.server.on('timeout', (socket: Socket) => {
    const remainingMs = (maxSilence.get(socket) ?? 0) - idleMs
    maxSilence.delete(socket)
    // Node restores the server's timeout for the connection once the response is sent.
    if (remainingMs > 0) socket.setTimeout(remainingMs)
    else socket.destroy()
  })
}
