import type { FastifyPluginAsync } from 'fastify'
import { METRICS_TYPE } from '../../metrics/metric-set.ts'
import type { Scraper } from '../../metrics/scraper.ts'
import { requires } from '../access/security.ts'

/** The metrics of the broker, for Prometheus and programs that read its format. */
export function metricsRoutes(scraper: Pick<Scraper, 'scrape'>): FastifyPluginAsync {
  return async (app) => {
    app.get(
      '/metrics',
      {
        schema: { hide: true, security: requires('admin') },
        config: { isForScrapers: true },
        logLevel: 'warn',
      },
      async (_request, reply) =>
        reply
          .type(METRICS_TYPE)
          .header('cache-control', 'no-store')
          .send(await scraper.scrape()),
    )
  }
}
