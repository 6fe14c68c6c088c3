import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whoever asks is ready to wait for the answer without a sign, for as long as it takes. */
    isSilent?: boolean
  }
}

/**
 * Closes connections on which nothing moves for so long: whose client takes nothing of its answer, for one. How long a large
 * answer takes in all does not matter.
 * @param ms longer than an answer may take
 */
export function closeIdle(app: FastifyInstance, ms: number): void {
  const silent = new WeakSet<Socket>()
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (routeOptions.config?.isSilent) silent.add(raw.socket)
  })
  app.addHook('onResponse', async ({ raw }) => {
    silent.delete(raw.socket)
  })
  app.server.timeout = ms
  app.server.on('timeout', (socket: Socket) => {
    if (!silent.has(socket)) socket.destroy()
  })
}
