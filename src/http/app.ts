import { type FastifyBaseLogger, type FastifyInstance, type FastifyPluginAsync, fastify } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { type HookSecrets, requireHookSecret, requireToken } from './auth.ts'
import { registerDeadline } from './connection/deadline.ts'
import { closeIdleConnections } from './connection/idle-connections.ts'
import { rejectForeignCallers } from './connection/local-callers.ts'
import { protocolErrorHandlers, rejectUnsupportedRequests } from './connection/protocol-errors.ts'
import { registerBodyGuards } from './connection/request-body.ts'
import { registerIdempotency } from './idempotency/hook.ts'
import { registerOpenApi } from './openapi.ts'
import { sendError } from './problem.ts'
import { registerRoutes } from './routes.ts'
import type { Services } from './services.ts'
import { handleUnknownRoutes } from './unknown-routes.ts'

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
  })
  if (options.maxConnections !== undefined) app.server.maxConnections = options.maxConnections
  rejectUnsupportedRequests(app)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(sendError)
  registerDeadline(app, requestTimeoutMs)
  closeIdleConnections(app, requestTimeoutMs + IDLE_MARGIN_MS)
  registerBodyGuards(app, { minBytesPerSecond: options.minBodyRate, intervalMs: options.bodyRateIntervalMs })
  const authenticate = options.token === undefined ? rejectForeignCallers : requireToken(options.token)
  app.addHook(
    'onRequest',
    requireHookSecret(options.hookSecrets ?? {}, authenticate, options.token !== undefined),
  )
  registerIdempotency(app, services.idempotencyKeys)
  registerShutdownSignal(app, options.stopSignal)
  handleUnknownRoutes(app)
  await registerOpenApi(app, options.version)
  await registerRoutes(app, services)
  if (options.registryPlugin) await app.register(options.registryPlugin)
  await app.ready()
  return app
}

function registerShutdownSignal(app: FastifyInstance, stopSignal: AbortSignal | undefined): void {
  const closing = new AbortController()
  app.decorate('shutdownSignal', stopSignal ? AbortSignal.any([closing.signal, stopSignal]) : closing.signal)
  app.addHook('preClose', async () => closing.abort(new Error('the server is shutting down')))
}
