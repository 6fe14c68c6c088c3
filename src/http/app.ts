import type { BlockList } from 'node:net'
import cookie from '@fastify/cookie'
import type { FastifyBaseLogger, FastifyInstance, FastifyPluginAsync } from 'fastify'
import { serializerCompiler } from 'fastify-type-provider-zod'
import type { AuditTrail } from '../access/audit/audit-trail.ts'
import type { RegistryTokens } from '../access/registry/registry-tokens.ts'
import type { HttpMetrics } from '../metrics/http-metrics.ts'
import type { Scraper } from '../metrics/scraper.ts'
import { registerAuthentication } from './access/authenticate.ts'
import type { CallerSource } from './access/caller-source.ts'
import { demandsHookSecret, type HookSecrets, hookSecretSource } from './access/hook-secrets.ts'
import { operatorToken } from './access/operator-token.ts'
import { BASIC_CHALLENGE, tokenChallenge } from './access/registry-challenge.ts'
import { registryTokenRoutes } from './access/registry-token-routes.ts'
import { registryTokenSource } from './access/registry-token-source.ts'
import { secretSource } from './access/secret-source.ts'
import { describeFailures, recordRequests } from './audit/record-requests.ts'
import { registerCaching } from './browser/caching.ts'
import { registerCompression } from './browser/compression.ts'
import { registerCors } from './browser/cors.ts'
import { sendSecurityHeaders } from './browser/security-headers.ts'
import { registerDeadline } from './connection/deadline.ts'
import { checkHosts } from './connection/host-check.ts'
import { createHttpServer, type HttpServerOptions, trustProxies } from './connection/http-server.ts'
import { closeIdleConnections } from './connection/idle-connections.ts'
import { KnownHosts } from './connection/known-hosts.ts'
import { registerBodyGuards } from './connection/request-body.ts'
import { registerIdempotency } from './idempotency/hook.ts'
import { refuseInOverload } from './limits/overload.ts'
import { limitCallers, loadRateLimits } from './limits/rate-limit.ts'
import type { Refusal } from './limits/refusal.ts'
import { WrongCredentials } from './limits/wrong-credentials.ts'
import { sendRequestIds } from './logging/request-id.ts'
import { logRequests } from './logging/request-log.ts'
import { traceRequests } from './logging/request-span.ts'
import { type Login, loginRoutes } from './login/routes.ts'
import { sessionSource } from './login/session-source.ts'
import { measureRequests } from './metrics/measure-requests.ts'
import { metricsRoutes } from './metrics/routes.ts'
import { recogniseScrapers } from './metrics/scrapers.ts'
import { registerOpenApi } from './openapi/openapi.ts'
import { sendError } from './problem.ts'
import type { RuleEngine } from './pushes/rule-engine.ts'
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
  /** The operator's token. Default: there is none. */
  readonly token?: string
  /** The name of the broker to the outside. Default: it is known by its address only. */
  readonly publicUrl?: URL | undefined
  /** The origins whose pages may use the API from a browser, as `https://host[:port]`. Default: none. */
  readonly corsOrigins?: ReadonlySet<string>
  /** Hosts that requests without a token may be for, besides the public name and this machine. */
  readonly allowedHosts?: readonly string[]
  /** The proxies whose `X-Forwarded-*` headers are believed. Default: none. */
  readonly trustedProxies?: BlockList
  /** The certificate and the key in PEM. Default: plain HTTP. */
  readonly tls?: HttpServerOptions['tls']
  /** Default: no limits. */
  readonly limits?: EdgeLimits
  /** Further ways in, besides the token, API tokens and the secrets of hooks. Default: none. */
  readonly callerSources?: readonly CallerSource[]
  /** How people log in. Default: they do not. */
  readonly login?: Login | undefined
  /** Whether requests without a credential are rejected. Default: whether there is a token. */
  readonly demandsCredential?: boolean
  /** The secrets of registries that send push notifications. */
  readonly hookSecrets?: HookSecrets
  /** Records what callers do. Default: nothing is recorded. */
  readonly audit?: AuditTrail | undefined
  /** Issues tokens to clients of the embedded registry. Default: they send their credential with every request. */
  readonly registryTokens?: RegistryTokens | undefined
  /** Applies the rules to pushed images. Default: one of its own. */
  readonly ruleEngine?: RuleEngine
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

/** What callers may ask of the server, each 0 for no limit. */
export type EdgeLimits = {
  /** Requests per minute of one caller. */
  readonly requestsPerMinute: number
  /** Wrong credentials per minute from one address. */
  readonly wrongCredentialsPerMinute: number
  /** The mean delay of the event loop within a second, in milliseconds, beyond which requests are refused. */
  readonly maxDelayMs: number
}

export type MetricsOptions = {
  readonly requests: HttpMetrics
  readonly scraper: Pick<Scraper, 'scrape'>
  /** The addresses that may read `/metrics` without a token, besides this machine. */
  readonly allowed: BlockList
}

/** Idle time of a connection that is allowed in addition to the request timeout. */
const IDLE_MARGIN_MS = 60_000

const NO_LIMITS: EdgeLimits = { requestsPerMinute: 0, wrongCredentialsPerMinute: 0, maxDelayMs: 0 }

/** Builds the HTTP server; it does not listen yet. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { services, logger, maxBodyBytes, requestTimeoutMs } = options
  const isTrustedProxy = trustProxies(options.trustedProxies)
  const { tls, maxConnections } = options
  const app = createHttpServer({ logger, tls, isTrustedProxy, maxBodyBytes, maxConnections })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(sendError)
  // First, so that they cover every other hook.
  measureRequests(app, options.metrics?.requests)
  traceRequests(app)
  logRequests(app)
  describeFailures(app)
  if (options.audit) recordRequests(app, options.audit, services.names)
  sendRequestIds(app)
  registerDeadline(app, requestTimeoutMs)
  closeIdleConnections(app, requestTimeoutMs + IDLE_MARGIN_MS)
  registerBodyGuards(app, { minBytesPerSecond: options.minBodyRate, intervalMs: options.bodyRateIntervalMs })
  const { publicUrl, corsOrigins = new Set<string>(), limits = NO_LIMITS } = options
  const refused = (reason: Refusal) => () => options.metrics?.requests.onRefusal(reason)
  await sendSecurityHeaders(app, { publicUrl, corsOrigins })
  await registerCors(app, corsOrigins)
  await refuseInOverload(app, { maxDelayMs: limits.maxDelayMs, onRefusal: refused('overload') })
  await loadRateLimits(app)
  const wrongCredentials = new WrongCredentials(app, {
    perMinute: limits.wrongCredentialsPerMinute,
    onRefusal: refused('wrong_credentials'),
  })
  wrongCredentials.refuseBefore()
  const { token, callerSources = [], hookSecrets = {}, metrics } = options
  const isHookGuarded = demandsHookSecret(hookSecrets)
  const { demandsCredential = token !== undefined } = options
  const isExempt = metrics && recogniseScrapers(metrics.allowed)
  if (options.login) await app.register(cookie)
  registerAuthentication(app, {
    sources: [
      ...(token === undefined ? [] : [operatorToken(token)]),
      hookSecretSource(hookSecrets),
      ...(options.registryTokens ? [registryTokenSource(options.registryTokens)] : []),
      secretSource(services.tokens),
      ...callerSources,
      ...(options.login ? [sessionSource(options.login)] : []),
    ],
    projects: services.projects,
    demandsCredential: (request) => demandsCredential || isHookGuarded(request),
    isExempt,
    registryChallenge: options.registryTokens ? tokenChallenge(publicUrl) : BASIC_CHALLENGE,
  })
  wrongCredentials.countAfter()
  const hosts = new KnownHosts({ publicUrl, allowed: options.allowedHosts })
  checkHosts(app, { hosts, isTrustedProxy, publicUrl, corsOrigins, onRefusal: refused('host') })
  limitCallers(app, { perMinute: limits.requestsPerMinute, onRefusal: refused('rate_limit') })
  // In this order: a response is stored under its key before it is compared and compressed.
  registerIdempotency(app, services.idempotencyKeys)
  registerCaching(app)
  await registerCompression(app)
  registerShutdownSignal(app, options.stopSignal)
  acceptEmptyJson(app)
  rejectUnknownParameters(app)
  handleUnknownRoutes(app)
  await registerOpenApi(app, { version: options.version, publicUrl })
  await registerRoutes(app, services, options.ruleEngine)
  if (options.login) await app.register(loginRoutes(options.login))
  if (metrics) await app.register(metricsRoutes(metrics.scraper))
  if (options.registryTokens) {
    await app.register(registryTokenRoutes(options.registryTokens, services.names))
  }
  if (options.registryPlugin) await app.register(options.registryPlugin)
  await app.ready()
  return app
}

function registerShutdownSignal(app: FastifyInstance, stopSignal: AbortSignal | undefined): void {
  const closing = new AbortController()
  app.decorate('shutdownSignal', stopSignal ? AbortSignal.any([closing.signal, stopSignal]) : closing.signal)
  app.addHook('preClose', async () => closing.abort(new Error('the server is shutting down')))
}
