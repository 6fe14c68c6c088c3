import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** The routes that pages of other origins may use: the API without its webhooks, its document, the probes. */
const PAGE_ROUTE = /^\/(v1\/(?!hooks(\/|$))|openapi\.json$|healthz$|readyz$)/

/** What a listed origin may send and read. A page sends its token itself; cookies have no meaning here. */
const ALLOWED: FastifyCorsOptions = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
  allowedHeaders: [
    'Authorization',
    'Content-Type',
    'Content-Encoding',
    'Idempotency-Key',
    'Prefer',
    'Last-Event-ID',
    'If-None-Match',
    'Record-Broker-Project',
    'X-Request-Id',
    'Traceparent',
  ],
  exposedHeaders: [
    'Location',
    'Retry-After',
    'ETag',
    'Idempotency-Replayed',
    'Preference-Applied',
    'Allow',
    'X-Request-Id',
    'RateLimit-Limit',
    'RateLimit-Remaining',
    'RateLimit-Reset',
  ],
  credentials: false,
  /** How long a browser may keep the response to a preflight, in seconds. */
  maxAge: 600,
}

/**
 * Whether a request comes from a page of a listed origin, to a route that such pages may use. Tests the
 * pattern of the route, which can be written in one way only; a preflight has no route of its own.
 */
export function isFromListedPage(request: FastifyRequest, origins: ReadonlySet<string>): boolean {
  const { origin } = request.headers
  return origin !== undefined && origins.has(origin) && isPageRoute(request)
}

function isPageRoute({ method, routeOptions, url }: FastifyRequest): boolean {
  const route = method === 'OPTIONS' ? undefined : routeOptions.url
  return PAGE_ROUTE.test(route ?? url.split('?', 1)[0] ?? '')
}

/** Another OPTIONS request gets the response that every unsupported method gets. */
function isPreflight({ headers }: FastifyRequest): boolean {
  return headers['access-control-request-method'] !== undefined
}

/**
 * Lets pages of the listed origins use the API from a browser (the CORS protocol of the Fetch standard).
 * Responds to their preflights, which carry no token, so that this must be registered before authentication.
 * Errors have the headers, too: a page could not read them otherwise.
 */
export async function registerCors(app: FastifyInstance, origins: ReadonlySet<string>): Promise<void> {
  if (origins.size === 0) return
  // Responses of other routes, such as blobs of the registry, do not vary by origin.
  app.addHook('onRoute', (route) => {
    if (route.method === 'OPTIONS' || PAGE_ROUTE.test(route.url)) return
    route.config = { ...route.config, cors: false } as NonNullable<typeof route.config>
  })
  await app.register(cors, {
    hideOptionsRoute: true,
    delegator: (request: FastifyRequest, done: (error: null, options: FastifyCorsOptions) => void) => {
      const { origin = '' } = request.headers
      const isAllowed =
        isFromListedPage(request, origins) && (request.method !== 'OPTIONS' || isPreflight(request))
      done(null, isAllowed ? { ...ALLOWED, origin } : { origin: false })
    },
  })
}
