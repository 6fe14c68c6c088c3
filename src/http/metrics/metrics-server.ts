import type { BlockList } from 'node:net'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify'
import type { Scraper } from '../../metrics/scraper.ts'
import { presentedBy } from '../access/caller-source.ts'
import { operatorToken } from '../access/operator-token.ts'
import { callerAddress } from '../connection/caller-address.ts'
import { protocolErrorHandlers } from '../connection/protocol-errors.ts'
import { FailureLog } from '../logging/request-log.ts'
import { problem, sendError, sendProblem } from '../problem.ts'
import { handleUnknownRoutes } from '../unknown-routes.ts'
import { metricsRoutes } from './routes.ts'
import { recogniseScrapers } from './scrapers.ts'

/** A scraper needs one connection. */
const MAX_CONNECTIONS = 100
/** The time for a request, and the idle time of a connection. */
const TIMEOUT_MS = 30_000
const MAX_BODY_BYTES = 1024

export type MetricsServerOptions = {
  readonly scraper: Pick<Scraper, 'scrape'>
  /** The addresses of scrapers on other machines. */
  readonly allowed: BlockList
  /** The token that callers from other addresses send. Default: they are refused. */
  readonly token: string | undefined
  readonly logger: FastifyBaseLogger | false
}

/** Builds a server of `/metrics` and `/healthz` alone, for an address of its own; it does not listen yet. */
export async function buildMetricsServer(options: MetricsServerOptions): Promise<FastifyInstance> {
  const { scraper, allowed, token, logger } = options
  const app: FastifyInstance = fastify({
    ...(logger ? { loggerInstance: logger } : { logger: false }),
    logController: new FailureLog(),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: TIMEOUT_MS,
    keepAliveTimeout: TIMEOUT_MS,
    http: { requireHostHeader: false },
    ...protocolErrorHandlers,
  })
  app.server.maxConnections = MAX_CONNECTIONS
  app.server.timeout = TIMEOUT_MS
  app.setErrorHandler(sendError)
  const isScraper = recogniseScrapers(allowed)
  const operator = token === undefined ? undefined : operatorToken(token)
  app.addHook('onRequest', async (request, reply) => {
    if (!request.routeOptions.config.isForScrapers || isScraper(request)) return undefined
    if (operator === undefined) return refuseScraper(request, reply)
    const presented = presentedBy(request.headers.authorization, false)
    if (await operator.identify(presented, request, 'request')) return undefined
    reply.header('www-authenticate', 'Bearer')
    return sendProblem(
      reply,
      problem(401, 'UNAUTHORIZED', 'send the token of this broker: Authorization: Bearer TOKEN'),
    )
  })
  handleUnknownRoutes(app)
  app.get('/healthz', { logLevel: 'warn' }, async () => ({ status: 'ok' }))
  await app.register(metricsRoutes(scraper))
  await app.ready()
  return app
}

/** Refuses callers of routes for scrapers, because there is no token that they could send. */
function refuseScraper(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const detail = `the metrics are not for ${callerAddress(request)}: add the address to RECORD_BROKER_METRICS_ALLOW, or set RECORD_BROKER_TOKEN and send it`
  return sendProblem(reply, problem(403, 'SCRAPER_NOT_ALLOWED', detail))
}
