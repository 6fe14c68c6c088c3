import type { FastifyReply, FastifyRequest } from 'fastify'
import { isFromListedPage } from '../browser/cors.ts'
import { problem, sendProblem } from '../problem.ts'

/** Names of this machine, with any port: it may be forwarded. */
const LOCAL_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i
/** Methods that change nothing. What they return, the browser shows to no page of another origin. */
const SAFE_METHODS = ['GET', 'HEAD']

export type TrustedCallers = {
  /** The name of the broker to the outside. Requests for this host are accepted like those for localhost. */
  readonly publicUrl?: URL | undefined
  /** The origins whose pages may use the API. */
  readonly corsOrigins: ReadonlySet<string>
}

/**
 * Protects a broker without a token from web pages in a browser on the same machine. Rejects requests for a
 * foreign host, which a page uses to reach the broker under its own origin (DNS rebinding), and writes from
 * pages of another origin: a browser sends a simple request, such as a POST of plain text, without asking.
 */
export function rejectForeignCallers({ publicUrl, corsOrigins }: TrustedCallers) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const host = hostOf(request)
    if (host === undefined || !(LOCAL_HOST.test(host) || host.toLowerCase() === publicUrl?.host)) {
      const given = host === undefined ? 'none or several' : JSON.stringify(host.slice(0, 100))
      const names = publicUrl ? `localhost and ${publicUrl.host}` : 'localhost'
      const remedy = publicUrl ? '' : ', or RECORD_BROKER_PUBLIC_URL if the broker has another name'
      const detail = `this broker only accepts requests for ${names}, because RECORD_BROKER_TOKEN is not set; the request's host: ${given}; set a token${remedy}`
      return sendProblem(reply, problem(421, 'FOREIGN_HOST', detail))
    }
    const { origin } = request.headers
    if (origin === undefined || SAFE_METHODS.includes(request.method)) return undefined
    if (isOwnOrigin(origin, host, publicUrl) || isFromListedPage(request, corsOrigins)) return undefined
    const detail = `requests from web pages of ${JSON.stringify(origin.slice(0, 100))} are not accepted; to let them use the API, add the origin to RECORD_BROKER_CORS_ORIGINS`
    return sendProblem(reply, problem(403, 'FOREIGN_ORIGIN', detail))
  }
}

/** Whether the request names this machine as its host. A web page that reaches it under its own name does not. */
export function isForThisMachine(request: FastifyRequest): boolean {
  return LOCAL_HOST.test(hostOf(request) ?? '')
}

function isOwnOrigin(origin: string, host: string, publicUrl: URL | undefined): boolean {
  return origin === publicUrl?.origin || (URL.canParse(origin) && new URL(origin).host === host.toLowerCase())
}

/**
 * The host of the request target if it is absolute (RFC 9112, 3.2.2), otherwise that of the only Host header.
 */
function hostOf({ raw }: FastifyRequest): string | undefined {
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(raw.url ?? '')?.[1]
  // `headers` contains only the first of several Host headers.
  const hosts = raw.rawHeaders.filter((_, i) => i % 2 === 1 && /^host$/i.test(raw.rawHeaders[i - 1] ?? ''))
  return hosts.length > 1 ? undefined : (absolute ?? hosts[0])
}
