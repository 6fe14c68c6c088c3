import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'

const Health = z
  .object({ status: z.literal('ok') })
  .meta({ id: 'Health', description: 'The server answers.', examples: [{ status: 'ok' }] })

export const serviceRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/healthz',
    {
      schema: {
        tags: ['service'],
        operationId: 'getHealth',
        summary: 'Whether the server answers',
        security: [],
        response: { 200: Health },
      },
      logLevel: 'warn',
    },
    async () => ({ status: 'ok' as const }),
  )
  app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs'))
}
