import { Agent, EnvHttpProxyAgent, fetch as undiciFetch } from 'undici'
import type { ClientSettings } from '../../app/config/client-settings.ts'
import { ownConnector } from '../../app/tls/own-connector.ts'

/** The time until a connection exists. */
const CONNECT_TIMEOUT_MS = 10_000

/** Sends requests as the platform's `fetch` does, and can be closed. */
export type BrokerFetch = ((request: Request) => Promise<Response>) & AsyncDisposable

/** The requests of bodies that somebody may still read. */
const REQUESTS = new WeakMap<object, Request>()

/**
 * Creates a `fetch` for the broker at a URL. It trusts additional certificate authorities and uses the proxies of the
 * environment; for the broker on this machine, it trusts the certificate of that broker alone. It follows no
 * redirects, because these could lead the token to another server.
 */
export function createBrokerFetch(
  url: string,
  { ca, local }: Pick<ClientSettings, 'ca' | 'local'>,
): BrokerFetch {
  const own = url === local.url ? local.certificate : undefined
  const dispatcher = own
    ? new Agent({ connect: ownConnector(own, CONNECT_TIMEOUT_MS) })
    : new EnvHttpProxyAgent({ connect: { timeout: CONNECT_TIMEOUT_MS, ...(ca !== undefined && { ca }) } })
  const send = async (request: Request): Promise<Response> => {
    const response = await undiciFetch(request.url, {
      method: request.method,
      headers: [...request.headers],
      body: request.body as never,
      ...(request.body && { duplex: 'half' as const }),
      signal: request.signal,
      redirect: 'manual',
      dispatcher,
    })
    const { status, headers } = response
    const location = status >= 300 && status < 400 ? headers.get('location') : null
    if (location === null && !isPage(headers)) {
      // A request that is collected no longer passes the abort of its caller to its signal, and with it to the body.
      if (response.body) REQUESTS.set(response.body, request)
      return response as never
    }
    await response.body?.cancel()
    if (location !== null) return redirectProblem(new URL(location, request.url))
    return pageProblem(status)
  }
  return Object.assign(send, { [Symbol.asyncDispose]: () => dispatcher.destroy() })
}

function redirectProblem({ origin }: URL): Response {
  const detail = `the server redirects to ${origin}; if that is the broker, use --server ${origin}`
  return Response.json({ code: 'REDIRECTED', detail }, { status: 421 })
}

/** The broker's API never responds with a page: a proxy, or another server, does. */
function isPage(headers: { get(name: string): string | null }): boolean {
  return /^text\/html\b/i.test(headers.get('content-type') ?? '')
}

function pageProblem(status: number): Response {
  const problem = { code: 'NOT_A_BROKER', detail: `status ${status} and a web page` }
  return Response.json(problem, { status: status >= 400 ? status : 421 })
}
