import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { CallerKind } from '../../access/caller.ts'
import { isFromListedPage } from '../browser/cors.ts'
import { problem, sendProblem } from '../problem.ts'
import type { KnownHosts } from './known-hosts.ts'
import { hostOf, type ProxyTrust } from './request-host.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route is public, and demands a credential in its body. */
    readsCredential?: boolean
  }
}

/** Methods that change nothing. A browser shows their responses to no page of another origin. */
const SAFE_METHODS = ['GET', 'HEAD']
/** Probes address a process, by whatever name or address they know it. */
const PROBE_ROUTE = /^\/(healthz|readyz)$/
/** Callers whom a browser identifies without being asked: by a cookie, or by nothing. Others send a secret. */
const BROWSER_CALLERS: readonly CallerKind[] = ['local', 'person']

export type HostCheckOptions = {
  readonly hosts: KnownHosts
  readonly isTrustedProxy: ProxyTrust
  readonly publicUrl: URL | undefined
  /** The origins whose pages may use the API. */
  readonly corsOrigins: ReadonlySet<string>
  readonly onRefusal: () => void
}

/**
 * Rejects requests for a host that is not known, wherever they need no secret of the caller: on public routes, with
 * the cookie of a login, and on a broker that demands no credential. A page reaches the broker under its own origin
 * in this way (DNS rebinding). A request with a token may name any host. Must be called after authentication.
 *
 * A broker that demands no credential also rejects writes from pages of another origin: a browser sends a simple
 * request, such as a POST of plain text, without asking.
 */
export function checkHosts(app: FastifyInstance, options: HostCheckOptions): void {
  const { hosts, isTrustedProxy, publicUrl, corsOrigins, onRefusal } = options
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    if (mayNameAnyHost(request)) return undefined
    const host = hostOf(request, isTrustedProxy)
    if (host === undefined || !hosts.includes(host, request.raw.socket.localAddress)) {
      onRefusal()
      const given = host === undefined ? 'none or several' : JSON.stringify(host.slice(0, 100))
      const detail = `without a token, the broker answers requests for ${hosts.text} only, and this one is for another host: ${given}; send a token, or add the host to RECORD_BROKER_ALLOWED_HOSTS`
      return sendProblem(reply, problem(421, 'FOREIGN_HOST', detail))
    }
    const { origin } = request.headers
    const isLocal = request.knownCaller?.identity.kind === 'local'
    if (!isLocal || origin === undefined || SAFE_METHODS.includes(request.method)) return undefined
    if (isOwnOrigin(origin, host, publicUrl) || isFromListedPage(request, corsOrigins)) return undefined
    onRefusal()
    const detail = `requests from web pages of ${JSON.stringify(origin.slice(0, 100))} are not accepted; to let them use the API, add the origin to RECORD_BROKER_CORS_ORIGINS`
    return sendProblem(reply, problem(403, 'FOREIGN_ORIGIN', detail))
  })
}

function mayNameAnyHost({ knownCaller, routeOptions: { url = '', config } }: FastifyRequest): boolean {
  if (knownCaller) return !BROWSER_CALLERS.includes(knownCaller.identity.kind)
  // A scraper without a credential was recognised by its address.
  return config?.isForScrapers === true || config?.readsCredential === true || PROBE_ROUTE.test(url)
}

function isOwnOrigin(origin: string, host: string, publicUrl: URL | undefined): boolean {
  return origin === publicUrl?.origin || (URL.canParse(origin) && new URL(origin).host === host.toLowerCase())
}
