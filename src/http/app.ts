import type { BlockList } from 'node:net'
import { type FastifyBaseLogger, type FastifyInstance, type FastifyPluginAsync, fastify } from 'fastify'
import { serializerCompiler } from 'fastify-type-provider-zod'
import type { HttpMetrics } from '../metrics/http-metrics.ts'
import type { Scraper } from '../metrics/scraper.ts'
import { type HookSecrets, requireHookSecret, requireToken } from './auth.ts'
import { registerCaching } from './browser/caching.ts'
import { registerCompression } from './browser/compression.ts'
import { registerCors } from './browser/cors.ts'
import { registerDeadline } from './connection/deadline.ts'
import { closeIdleConnections } from './connection/idle-connections.ts'
import { rejectForeignCallers } from './connection/local-callers.ts'
import { protocolErrorHandlers, rejectUnsupportedRequests } from './connection/protocol-errors.ts'
import { registerBodyGuards } from './connection/request-body.ts'
import { registerIdempotency } from './idempotency/hook.ts'
import { requestIdOf, sendRequestIds } from './logging/request-id.ts'
import { FailureLog, logRequests } from './logging/request-log.ts'
import { traceRequests } from './logging/request-span.ts'
import { measureRequests } from './metrics/measure-requests.ts'
import { metricsRoutes } from './metrics/routes.ts'
import { allowScrapers } from './metrics/scrapers.ts'
import { registerOpenApi } from './openapi/openapi.ts'
import { sendError } from './problem.ts'
import { registerRoutes } from './routes.ts'
import type { Services } from './services.ts'
import { handleUnknownRoutes } from './unknown-routes.ts'
import { acceptEmptyJson } from './validation/json-body.ts'
import { rejectUnknownParameters } from './validation/query-parameters.ts'
import { validatorCompiler } from './validation/validate-request.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Aborts when the server starts to shut down: waits for jobs end, and requests respond with the current
     * state.
     */
    shutdownSignal: AbortSignal
  }
}

export type AppOptions = {
  readonly services: Services
  /** The version of the program, for the OpenAPI document. */
  readonly version: string
  /** `false` disables logging. */
  readonly logger: FastifyBaseLogger | false
  /** The token that every request must carry. Default: none; only local callers are accepted. */
  readonly token?: string
  /** The name of the broker to the outside. Default: it is known by its address only. */
  readonly publicUrl?: URL | undefined
  /** The origins whose pages may use the API from a browser, as `https://host[:port]`. Default: none. */
  readonly corsOrigins?: ReadonlySet<string>
  /** The secrets of registries that send push notifications. */
  readonly hookSecrets?: HookSecrets
  /** The embedded registry, which serves `/v2/`. */
  readonly registryPlugin?: FastifyPluginAsync
  /** Maximum size of a request body that is neither a record nor a blob or manifest, in bytes. */
  readonly maxBodyBytes: number
  /** Maximum time to process a request, in milliseconds. */
  readonly requestTimeoutMs: number
  /** Minimum transfer rate of a request body, in bytes per second. Default: no minimum. */
  readonly minBodyRate?: number
  /** Interval between checks of that rate. Default: ten seconds. */
  readonly bodyRateIntervalMs?: number
  /** Maximum number of concurrent connections. Default: unlimited. */
  readonly maxConnections?: number
  /**
   * Aborts when the process is asked to stop, which may be long before the server closes. Default: never
   * aborts.
   */
  readonly stopSignal?: AbortSignal
  /** Default: requests are not measured, and there is no `/metrics`. */
  readonly metrics?: MetricsOptions | undefined
}

export type MetricsOptions = {
  readonly requests: HttpMetrics
  readonly scraper: Pick<Scraper, 'scrape'>
  /** The addresses that may read `/metrics` without a token, besides this machine. */
  readonly allowed: BlockList
}

/** Idle time of a connection that is allowed in addition to the request timeout. */
const IDLE_MARGIN_MS = 60_000

/** Builds the HTTP server; it does not listen yet. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { services, logger, maxBodyBytes, requestTimeoutMs } = options
  const app: FastifyInstance = fastify({
    ...(logger ? { loggerInstance: logger } : { logger: false }),
    bodyLimit: maxBodyBytes,
    // References are longer than Fastify's default of 100 characters.
    routerOptions: { maxParamLength: 1000 },
    // The hooks below reject a request without Host, with a problem document.
    http: { requireHostHeader: false },
    ...protocolErrorHandlers,
    genReqId: requestIdOf,
    logController: new FailureLog({ requestIdLogLabel: 'requestId' }),
  })
  if (options.maxConnections !== undefined) app.server.maxConnections = options.maxConnections
  rejectUnsupportedRequests(app)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(sendError)
  // First, so that they cover every other hook.
  measureRequests(app, options.metrics?.requests)
  traceRequests(app)
  logRequests(app)
  sendRequestIds(app)
  registerDeadline(app, requestTimeoutMs)
  closeIdleConnections(app, requestTimeoutMs + IDLE_MARGIN_MS)
  registerBodyGuards(app, { minBytesPerSecond: options.minBodyRate, intervalMs: options.bodyRateIntervalMs })
  const { publicUrl, corsOrigins = new Set<string>() } = options
  await registerCors(app, corsOrigins)
  const authenticate =
    options.token === undefined
      ? rejectForeignCallers({ publicUrl, corsOrigins })
      : requireToken(options.token)
  const { metrics } = options
  app.addHook(
    'onRequest',
    requireHookSecret(
      options.hookSecrets ?? {},
      metrics ? allowScrapers(metrics.allowed, authenticate) : authenticate,
      options.token !== undefined,
    ),
  )
  // In this order: a response is stored under its key before it is compared and compressed.
  registerIdempotency(app, services.idempotencyKeys)
  registerCaching(app)
  await registerCompression(app)
  registerShutdownSignal(app, options.stopSignal)
  acceptEmptyJson(app)
  rejectUnknownParameters(app)
  handleUnknownRoutes(app)
  await registerOpenApi(app, { version: options.version, publicUrl })
  await registerRoutes(app, services)
  if (metrics) await app.register(metricsRoutes(metrics.scraper))
  if (options.registryPlugin) await app.register(options.registryPlugin)
  await app.ready()
  return app
}

function registerShutdownSignal(app: FastifyInstance, stopSignal: AbortSignal | undefined): void {
  const closing = new AbortController()
  app.decorate('shutdownSignal', stopSignal ? AbortSignal.any([closing.signal, stopSignal]) : closing.signal)
  app.addHook('preClose', async () => closing.abort(new Error('the server is shutting down')))
}
