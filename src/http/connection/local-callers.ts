import type { FastifyReply, FastifyRequest } from 'fastify'
import { problem, sendProblem } from '../problem.ts'

/** Names of this machine; whatever the port: it may be forwarded. */
const LOCAL = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/**
 * Refuses what a web page might make a browser on this machine send to a broker that asks for no token: requests of pages of
 * another origin that write, and those to a foreign name, by which a page reads from and writes to its own origin
 * (DNS rebinding).
 */
export async function rejectForeignPages(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const { raw, method } = request
  const host = hostOf(request)
  if (host === undefined || !LOCAL.test(host)) {
    const why = `requests to ${host === undefined ? 'no host' : JSON.stringify(host.slice(0, 100))} are not taken: without RECORD_BROKER_TOKEN this broker answers to localhost alone`
    return sendProblem(reply, problem(421, 'FOREIGN_HOST', why))
  }
  const { origin } = raw.headers
  if (origin === undefined || ['GET', 'HEAD'].includes(method)) return undefined
  if (URL.canParse(origin) && new URL(origin).host === host) return undefined
  const why = `requests from pages of ${origin.slice(0, 100)} are not taken`
  return sendProblem(reply, problem(403, 'OTHER_ORIGIN', why))
}

/** The host that a request is for: that of its address where it has one (RFC 9112, 3.2.2), and else of its one Host header. */
function hostOf({ raw }: FastifyRequest): string | undefined {
  const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(raw.url ?? '')?.[1]
  // In `headers` the first of several hides the others.
  const hosts = raw.rawHeaders.filter((_, i) => i % 2 === 1 && /^host$/i.test(raw.rawHeaders[i - 1] ?? ''))
  return hosts.length > 1 ? undefined : (absolute ?? hosts[0])
}
