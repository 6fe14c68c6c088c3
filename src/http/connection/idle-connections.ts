import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whoever asks is ready to wait for the answer without a sign, for as long as this. */
    silentMs?: number
  }
}

/**
 * Closes connections on which nothing moves for so long: whose client takes nothing of its answer, for one. How long a large
 * answer takes in all does not matter.
 * @param ms longer than an answer may take
 */
export function closeIdle(app: FastifyInstance, ms: number): void {
  const silent = new WeakMap<Socket, number>()
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    const { silentMs } = routeOptions.config ?? {}
    if (silentMs !== undefined) silent.set(raw.socket, silentMs)
  })
  app.addHook('onResponse', async ({ raw }) => {
    silent.delete(raw.socket)
  })
  app.server.timeout = ms
  app.server.on('timeout', (socket: Socket) => {
    const rest = (silent.get(socket) ?? 0) - ms
    silent.delete(socket)
    // Node gives the connection its usual time back when the answer is sent.
    if (rest > 0) socket.setTimeout(rest)
    else socket.destroy()
  })
}
