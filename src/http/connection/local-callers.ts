import type { FastifyReply, FastifyRequest } from 'fastify'
import { problem, sendProblem } from '../problem.ts'

/** Names of this machine, with any port: it may be forwarded. */
const LOCAL_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/**
 * Protects a broker without a token from web pages in a browser on the same machine. Rejects requests for a
 * foreign host, which a page uses to reach the broker under its own origin (DNS rebinding), and writes from
 * pages of another origin.
 */
export async function rejectForeignCallers(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const { raw, method } = request
  const host = hostOf(request)
  if (host === undefined || !LOCAL_HOST.test(host)) {
    const given = host === undefined ? 'none or several' : JSON.stringify(host.slice(0, 100))
    const detail = `this broker only accepts requests for localhost, because RECORD_BROKER_TOKEN is not set; the request's host: ${given}`
    return sendProblem(reply, problem(421, 'FOREIGN_HOST', detail))
  }
  const { origin } = raw.headers
  if (origin === undefined || ['GET', 'HEAD'].includes(method)) return undefined
  if (URL.canParse(origin) && new URL(origin).host === host) return undefined
  const detail = `requests from web pages of ${origin.slice(0, 100)} are not accepted`
  return sendProblem(reply, problem(403, 'OTHER_ORIGIN', detail))
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
