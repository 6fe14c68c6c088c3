import { type BlockList, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { AuthHook } from '../auth.ts'
import { isForThisMachine } from '../connection/local-callers.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route may be read without a token from this machine and from listed addresses. */
    isForScrapers?: boolean
  }
}

/** Headers with which a proxy on this machine shows that the request comes from elsewhere. */
const FORWARDING_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']
const ALLOWED = Promise.resolve(undefined)
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/

/**
 * Lets scrapers read the routes that are for them without a token: from listed addresses, under whatever name
 * they know this server, and from this machine. Requests that a proxy on this machine forwards do not count as
 * local, nor do those for another host name, which a web page may have chosen. Delegates to `fallback` in all
 * other cases.
 */
export function allowScrapers(allowed: BlockList, fallback: AuthHook): AuthHook {
  return (request, reply) => {
    // Most requests are for other routes, and this test is cheap. A path that is written in another way needs the
    // token.
    const isPossible = request.raw.url?.startsWith('/metrics') === true
    return isPossible && request.routeOptions.config.isForScrapers && isScraper(request, allowed)
      ? ALLOWED
      : fallback(request, reply)
  }
}

function isScraper(request: FastifyRequest, allowed: BlockList): boolean {
  const { remoteAddress } = request.raw.socket
  if (remoteAddress === undefined) return false
  if (allowed.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4')) return true
  const isForwarded = FORWARDING_HEADERS.some((name) => request.headers[name] !== undefined)
  return LOOPBACK.test(remoteAddress) && !isForwarded && isForThisMachine(request)
}
