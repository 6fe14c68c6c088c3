import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { PUBLIC } from '../access/security.ts'
import type { Services } from '../services.ts'
import { ReadinessMonitor } from './readiness-monitor.ts'
import { Health, Readiness } from './view.ts'

/** Health and readiness, for operators and load balancers. */
export function healthRoutes(
  services: Pick<Services, 'workers' | 'checkRegistry' | 'hasFreeSpace'>,
): FastifyPluginAsyncZod {
  const monitor = new ReadinessMonitor(services)
  return async (app) => {
    app.addHook('onReady', () => monitor.startLocalChecks())
    // The backing registry may be part of this server, which has to listen first.
    app.addHook('onListen', async () => monitor.startRegistryCheck())
    app.addHook('onClose', async () => monitor.stop())
    app.get(
      '/healthz',
      {
        schema: {
          tags: ['service'],
          operationId: 'getHealth',
          summary: 'Check that the server responds',
          description: 'Responds as long as the server runs, whatever the state of what it depends on.',
          security: PUBLIC,
          response: { 200: Health },
        },
        logLevel: 'warn',
      },
      async () => ({ status: 'ok' as const }),
    )
    app.get(
      '/readyz',
      {
        schema: {
          tags: ['service'],
          operationId: 'getReadiness',
          summary: 'Check that the database, the registry, the disk and the workers are ready',
          description: 'Shows the latest results of checks that run in the background.',
          security: PUBLIC,
          response: {
            200: Readiness,
            503: Readiness.describe('The database does not respond, or the server is stopping.'),
          },
        },
        logLevel: 'warn',
      },
      async (_request, reply) => {
        const readiness = await monitor.readiness(app.shutdownSignal.aborted)
        return reply.code(readiness.status === 'unavailable' ? 503 : 200).send(readiness)
      },
    )
    app.get('/', { schema: { hide: true, security: PUBLIC } }, async (_request, reply) =>
      reply.redirect('/docs'),
    )
  }
}
