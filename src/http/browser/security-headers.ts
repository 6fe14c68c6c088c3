import helmet from '@fastify/helmet'
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import { isFromListedPage } from './cors.ts'

/** The routes of pages that the broker itself serves: the dashboard, and the login that leads to it. */
const PAGE_ROUTE = /^\/(|login(\/.*)?|ui(\/.*)?)$/
/** The pages of the API document set a policy of their own. */
const DOCS_ROUTE = /^\/docs(\/|$)/
const HSTS_SECONDS = 365 * 24 * 60 * 60

type Directives = Record<string, string[]>
type Headers = Readonly<Record<string, string>>

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What limits a browser that opens the response. */
    securityHeaders?: Headers
  }
}

/**
 * Responses that are data. Nothing in them runs, also if a browser opens one directly: the content of records and
 * blobs comes from callers.
 */
const DATA_POLICY: Directives = {
  'default-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
  sandbox: [],
}

/** Pages of the broker load what belongs to them, and nothing from elsewhere. No script or style is inline. */
const PAGE_POLICY: Directives = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'font-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
}

/**
 * The policy of Swagger UI. Its scripts create styles, and its pictures are part of the style sheet. The requests
 * that it sends go to the server that the document names.
 */
function docsPolicy(publicUrl: URL | undefined): Directives {
  return {
    ...PAGE_POLICY,
    'style-src': ["'self'", "'unsafe-inline'"],
    'connect-src': ["'self'", ...(publicUrl ? [publicUrl.origin] : [])],
  }
}

export type SecurityHeaderOptions = {
  readonly publicUrl: URL | undefined
  /** The origins whose pages may read responses. */
  readonly corsOrigins: ReadonlySet<string>
}

/**
 * Sends the headers that limit what browsers do with responses. A policy belongs to the route, so that it does not
 * depend on how a path is written.
 */
export async function sendSecurityHeaders(
  app: FastifyInstance,
  { publicUrl, corsOrigins }: SecurityHeaderOptions,
): Promise<void> {
  const [ofData, ofPages, ofDocs] = await Promise.all(
    [DATA_POLICY, PAGE_POLICY, docsPolicy(publicUrl)].map((policy) => headersOf(policy, publicUrl)),
  )
  app.addHook('onRoute', (route) => {
    const securityHeaders = PAGE_ROUTE.test(route.url)
      ? ofPages
      : DOCS_ROUTE.test(route.url)
        ? ofDocs
        : ofData
    route.config = { ...route.config, securityHeaders } as NonNullable<typeof route.config>
  })
  app.addHook('onRequest', (request: FastifyRequest, reply, done) => {
    reply.headers(request.routeOptions.config?.securityHeaders ?? ofData ?? {})
    // What a page of a listed origin may read with CORS, it may also load.
    if (corsOrigins.size > 0 && isFromListedPage(request, corsOrigins))
      reply.header('cross-origin-resource-policy', 'cross-origin')
    done()
  })
}

/**
 * Returns the headers that helmet sends with a policy. They are made once: helmet itself makes them anew for each
 * response, which takes as long as everything else that a small request needs.
 */
async function headersOf(directives: Directives, publicUrl: URL | undefined): Promise<Headers> {
  const app = fastify()
  await app.register(helmet, {
    // The defaults of the library let pages load fonts and pictures from anywhere.
    contentSecurityPolicy: { useDefaults: false, directives },
    // Browsers that reach the broker by TLS continue to do so.
    hsts: publicUrl?.protocol === 'https:' ? { maxAge: HSTS_SECONDS, includeSubDomains: false } : false,
    frameguard: { action: 'deny' },
    // A form of the same origin must show its origin.
    referrerPolicy: { policy: 'same-origin' },
    // These are for browsers and plug-ins that are gone.
    dnsPrefetchControl: false,
    ieNoOpen: false,
    permittedCrossDomainPolicies: false,
    xssFilter: false,
  })
  app.get('/', async (_request, reply) => reply.raw.getHeaders())
  const headers: Headers = (await app.inject({ url: '/' })).json()
  await app.close()
  return headers
}
